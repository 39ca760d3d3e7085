//! What a data card holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vigc_core::json_lines::read_lines;

use crate::curation::export::ExportedFiles;
use crate::curation::gates::{GateReport, GateSettings};
use crate::prompt::Task;
use crate::vigc::Rejection;

/// What is known about a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// What its makers say about it.
    pub about: About,
    /// How many rows were read, kept and dropped.
    pub rows: RowCounts,
    /// The number of different pictures of the kept rows.
    pub pictures: u64,
    /// What the runs that generated the rows left out themselves.
    pub origin: RunRejections,
    /// What each gate dropped, in the order of the gates.
    pub gates: Vec<GateReport>,
    /// The gates' settings.
    pub gate_settings: GateSettings,
    /// The kept rows by task.
    pub tasks: Vec<TaskReport>,
    /// What the correction did to the kept rows.
    pub corrections: Corrections,
    /// The mean log-probabilities per token of the kept rows for which they are known.
    pub log_prob_per_token: Option<Distribution>,
    /// The most frequent first words of the kept questions.
    pub first_words: Vec<TextCount>,
    /// The number of different first words.
    pub distinct_first_words: u64,
    /// The most frequent kept questions, if they occur more than once.
    pub frequent_questions: Vec<TextCount>,
    /// The number of different questions.
    pub distinct_questions: u64,
    /// The models and settings of the kept rows.
    pub models: Vec<ModelUse>,
    /// The first kept rows of each task.
    pub examples: Vec<Example>,
    /// The data set's files.
    pub files: Vec<ExportedFiles>,
}

/// What the makers of a data set say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its title.
    pub title: String,
    /// Its license, by the hub's abbreviation, such as `cc-by-4.0`.
    pub license: Option<String>,
}

impl Default for About {
    fn default() -> Self {
        Self { title: "VIGC data set".to_owned(), license: None }
    }
}

/// How many rows were read, kept and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows that were read.
    pub read: u64,
    /// Rows that are in the data set.
    pub kept: u64,
    /// Rows that a gate dropped.
    pub dropped: u64,
}

/// What runs left out themselves, according to the records that they keep next to their rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunRejections {
    /// Texts of the model that were not a usable question with an answer, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Files that could not be read as pictures.
    pub skipped: u64,
}

impl RunRejections {
    /// Reads the records next to files of rows. Files without a record count as complete.
    pub(in crate::curation) fn read_beside(rows: &[PathBuf]) -> vigc_core::Result<Self> {
        #[derive(Deserialize)]
        struct Rejected {
            reason: Option<Rejection>,
            skipped: Option<String>,
        }
        let mut rejections = Self::default();
        for path in rows.iter().map(|rows| record_of(rows)).filter(|path| path.exists()) {
            for rejected in read_lines::<Rejected>(path)? {
                let Rejected { reason, skipped } = rejected?;
                if let Some(reason) = reason {
                    *rejections.rejected.entry(reason.to_string()).or_default() += 1;
                }
                rejections.skipped += u64::from(skipped.is_some());
            }
        }
        Ok(rejections)
    }
}

/// The file in which a [`Journal`](crate::vigc::Journal) records rejected texts and skipped images.
fn record_of(rows: &Path) -> PathBuf {
    let name = rows.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".rows.jsonl").unwrap_or(&name);
    rows.with_file_name(format!("{name}.rejected.jsonl"))
}

/// The kept rows of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The task.
    pub task: Task,
    /// The number of rows.
    pub rows: u64,
    /// The number of different pictures.
    pub pictures: u64,
    /// Words per question.
    pub question_words: Distribution,
    /// Words per answer.
    pub answer_words: Distribution,
    /// Sentences per answer.
    pub answer_sentences: Distribution,
}

/// What the correction did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Corrections {
    /// Rows that were corrected.
    pub corrected: u64,
    /// Corrected rows whose answer differs from the draft in more than punctuation.
    pub changed: u64,
    /// Sentences that are the same in draft and answer.
    pub kept_sentences: u64,
    /// Sentences that the correction changed.
    pub changed_sentences: u64,
    /// Sentences that only the answer has.
    pub added_sentences: u64,
    /// Sentences that only the draft had.
    pub removed_sentences: u64,
    /// The number of answers by the reason why they ended.
    pub stops: BTreeMap<String, u64>,
}

/// A text and the number of rows that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextCount {
    /// The text.
    pub text: String,
    /// The number of rows.
    pub rows: u64,
}

/// A model with its settings, and the number of rows that it generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelUse {
    /// The model's name.
    pub model: String,
    /// The number of rows.
    pub rows: u64,
    /// All settings.
    pub settings: serde_json::Value,
}

/// A kept row that the card shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The image's name.
    pub image_id: String,
    /// The task.
    pub task: Task,
    /// The question.
    pub question: String,
    /// VIG's answer, before the correction.
    pub draft: String,
    /// The final answer.
    pub answer: String,
}

/// A summary of numbers. Each quantile is a member of the set: the smallest number that at least that share of the
/// set does not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The size of the set.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The smallest number.
    pub min: f64,
    /// The 5th percentile.
    pub p5: f64,
    /// The 25th percentile.
    pub p25: f64,
    /// The median.
    pub median: f64,
    /// The 75th percentile.
    pub p75: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The largest number.
    pub max: f64,
}

impl Distribution {
    /// Summarizes numbers in ascending order, each with the number of times that it occurs. Returns nothing for an
    /// empty set.
    pub(super) fn of(numbers: &[(f64, u64)]) -> Option<Self> {
        let count = numbers.iter().map(|(_, times)| times).sum::<u64>();
        let sum = numbers.iter().map(|&(number, times)| number * times as f64).sum::<f64>();
        let quantile = |part: f64| {
            let rank = (part * count as f64).ceil().max(1.0) as u64;
            let mut passed = 0;
            let found = numbers.iter().find(|(_, times)| {
                passed += times;
                passed >= rank
            });
            found.map(|&(number, _)| number)
        };
        Some(Self {
            count,
            mean: sum / count as f64,
            min: quantile(0.0)?,
            p5: quantile(0.05)?,
            p25: quantile(0.25)?,
            median: quantile(0.5)?,
            p75: quantile(0.75)?,
            p95: quantile(0.95)?,
            max: quantile(1.0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_members_of_the_set() {
        let numbers = [(1.0, 2), (2.0, 1), (10.0, 1)];
        let found = Distribution::of(&numbers).unwrap();
        assert_eq!((found.count, found.mean, found.min, found.max), (4, 3.5, 1.0, 10.0));
        assert_eq!(
            (found.p5, found.p25, found.median, found.p75, found.p95),
            (1.0, 1.0, 1.0, 2.0, 10.0)
        );
        assert_eq!(Distribution::of(&[]), None);
    }
}
