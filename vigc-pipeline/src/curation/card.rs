//! The data card: what is in a data set, what was left out of it, and how it was made.
//!
//! A [`Card`] is written twice: `card.json` holds it as it is, and `README.md` shows the same numbers to people and,
//! in its front matter, to the Hugging Face hub.

mod distribution;
mod front_matter;
mod markdown;
mod origin;
mod statistics;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use distribution::Distribution;
pub use origin::Origin;
pub(super) use statistics::Statistics;

use super::export::Written;
use super::gates::{GateReport, GateSettings};
use super::{CurationError, Task};

/// What the makers of a data set say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its title.
    pub title: String,
    /// Its licence, as the hub abbreviates it, such as `cc-by-4.0`.
    pub license: Option<String>,
}

impl Default for About {
    fn default() -> Self {
        Self { title: "VIGC data set".to_owned(), license: None }
    }
}

/// What is known about a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// What its makers say.
    pub about: About,
    /// How many rows there were and are.
    pub rows: RowCounts,
    /// Different pictures of the kept rows.
    pub pictures: u64,
    /// What the runs themselves left out.
    pub origin: Origin,
    /// What each gate dropped, in the order in which they were asked.
    pub gates: Vec<GateReport>,
    /// The gates' settings.
    pub gate_settings: GateSettings,
    /// The kept rows of each task.
    pub tasks: Vec<TaskReport>,
    /// What the correction did to the kept rows.
    pub corrections: Corrections,
    /// The kept rows' mean log-probability per token, where it is known.
    pub log_prob_per_token: Option<Distribution>,
    /// First words of the kept questions, the most frequent ones.
    pub first_words: Vec<Frequent>,
    /// How many different first words there are.
    pub distinct_first_words: u64,
    /// The kept questions that come most often, of those that come more than once.
    pub frequent_questions: Vec<Frequent>,
    /// How many different questions there are.
    pub distinct_questions: u64,
    /// The models and settings of the kept rows.
    pub models: Vec<ModelUse>,
    /// The first kept rows of each task.
    pub examples: Vec<Example>,
    /// The data set's files.
    pub files: Vec<Written>,
}

/// How many rows there were and are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows that were read.
    pub read: u64,
    /// Rows that are in the data set.
    pub kept: u64,
    /// Rows that a gate dropped.
    pub dropped: u64,
}

/// The kept rows of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The task.
    pub task: Task,
    /// Its rows.
    pub rows: u64,
    /// Their different pictures.
    pub pictures: u64,
    /// Words of the questions.
    pub question_words: Distribution,
    /// Words of the answers.
    pub answer_words: Distribution,
    /// Sentences of the answers.
    pub answer_sentences: Distribution,
}

/// What the correction did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Corrections {
    /// Rows that were corrected.
    pub corrected: u64,
    /// Of these, rows whose answer differs from the draft in more than punctuation.
    pub changed: u64,
    /// Sentences that draft and answer have alike.
    pub kept_sentences: u64,
    /// Sentences that the correction changed.
    pub changed_sentences: u64,
    /// Sentences that only the answer has.
    pub added_sentences: u64,
    /// Sentences that only the draft had.
    pub removed_sentences: u64,
    /// Why answers ended, and how many for each reason.
    pub stops: BTreeMap<String, u64>,
}

/// A text and how many rows have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequent {
    /// The text.
    pub text: String,
    /// The number of rows.
    pub rows: u64,
}

/// A model with its settings, and how many rows it made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelUse {
    /// The model's name.
    pub model: String,
    /// The number of rows.
    pub rows: u64,
    /// All settings.
    pub settings: serde_json::Value,
}

/// A kept row, to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The image's name.
    pub image_id: String,
    /// The task.
    pub task: Task,
    /// The question.
    pub question: String,
    /// VIG's answer.
    pub draft: String,
    /// The answer.
    pub answer: String,
}

impl Card {
    /// What statistics tell, and nothing about gates and files yet.
    pub(super) fn of(statistics: &Statistics, kept: &Path) -> Result<Self, CurationError> {
        Ok(Self {
            about: About::default(),
            rows: RowCounts::default(),
            pictures: statistics.pictures(),
            origin: Origin::default(),
            gates: Vec::new(),
            gate_settings: GateSettings::default(),
            tasks: statistics.tasks(),
            corrections: statistics.corrections(),
            log_prob_per_token: statistics.log_prob_per_token(),
            first_words: statistics.first_words(),
            distinct_first_words: statistics.distinct_first_words(),
            frequent_questions: statistics.frequent_questions(kept)?,
            distinct_questions: statistics.distinct_questions(),
            models: statistics.models(),
            examples: statistics.examples(),
            files: Vec::new(),
        })
    }

    /// Writes `card.json` and `README.md`.
    pub(super) fn write(&self, folder: &Path) -> Result<(), CurationError> {
        vigc_core::files::write_json(folder.join("card.json"), self)?;
        Ok(vigc_core::files::write_atomic(folder.join("README.md"), self.to_markdown().as_bytes())?)
    }
}
