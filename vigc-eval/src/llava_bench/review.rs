//! Judgments: their two scores, their files, and the summary that LLaVA's program prints.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::Row;

use super::bench::LlavaBench;
use crate::error::Result;
use crate::rows::{self, question_id};

/// The scores in LLaVA's files of a reply that cannot be read.
const UNPARSED: [f64; 2] = [-1.0, -1.0];

/// The two scores of a judgment, normally from 1 to 10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScorePair {
    /// The score of the reference answer.
    pub reference: f64,
    /// The score of the model's answer.
    pub candidate: f64,
}

impl ScorePair {
    /// Reads the first line of a reply, as LLaVA's `parse_score` does: two numbers separated by a space or a comma. None if
    /// the line is different, or if a number is infinite.
    #[must_use]
    pub fn parse(reply: &str) -> Option<Self> {
        let line = reply.split('\n').next()?.replace(',', " ");
        let (reference, candidate) = line.split_once(' ')?;
        Self::new([python_float(reference)?, python_float(candidate)?])
    }

    fn new([reference, candidate]: [f64; 2]) -> Option<Self> {
        let is_read = [reference, candidate] != UNPARSED;
        let is_finite = reference.is_finite() && candidate.is_finite();
        (is_read && is_finite).then_some(Self { reference, candidate })
    }
}

/// A number, perhaps with white space around it, but not with spaces: `split(' ')` would find three parts.
fn python_float(text: &str) -> Option<f64> {
    if text.contains(' ') { None } else { text.trim().parse().ok() }
}

/// A judgment of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The id of the question.
    pub question_id: String,
    /// The category of the question, if the file has it.
    pub category: Option<String>,
    /// The judge's complete reply.
    pub content: String,
    /// The scores; none if the reply could not be read.
    pub scores: Option<ScorePair>,
}

/// Reads judgments as `eval_gpt_review_visual.py` writes them: `{question_id, category, content, tuple}` per line. The scores
/// are those of `tuple` (or of `score`, in files without categories). They are not read from the reply, so you can correct
/// them by hand. `[-1, -1]` means no scores.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn read_reviews(path: impl AsRef<Path>) -> Result<Vec<Review>, DataError> {
    let review = |row: &Row<'_>| {
        let text = |key| row.get(key).filter(|value| !value.is_null()).map(|_| row.text(key));
        Ok(Review {
            question_id: question_id(row)?,
            category: text("category").transpose()?,
            content: text("content").transpose()?.unwrap_or_default(),
            scores: ScorePair::new(scores(row)?),
        })
    };
    rows::read(path.as_ref(), review)
}

fn scores(row: &Row<'_>) -> Result<[f64; 2], DataError> {
    let found = row.get("tuple").or_else(|| row.get("score"));
    let scores = found.and_then(Value::as_array).and_then(|scores| {
        let scores: Option<Vec<f64>> = scores.iter().map(Value::as_f64).collect();
        scores?.try_into().ok()
    });
    scores.ok_or_else(|| row.wrong("tuple", found, "two numbers"))
}

/// Writes judgments as [`read_reviews`] and LLaVA's `summarize_gpt_review.py` read them. The file is written completely or
/// not at all.
///
/// # Errors
///
/// [`Write`](vigc_core::Error::Write) if the file cannot be written.
pub fn write_reviews(path: impl AsRef<Path>, reviews: &[Review]) -> vigc_core::Result<()> {
    let rows: Vec<_> = (1..).zip(reviews).map(|(id, review)| row(id, review)).collect();
    rows::write(path.as_ref(), &rows)
}

fn row(id: u64, review: &Review) -> Value {
    // LLaVA's program compares ids as numbers.
    let name = &review.question_id;
    let name = name.parse().map_or_else(|_| Value::from(name.as_str()), |id: u64| id.into());
    let scores = review.scores.map_or(UNPARSED, |pair| [pair.reference, pair.candidate]);
    let mut row = json!({ "id": id, "question_id": name });
    if let Some(category) = &review.category {
        row["category"] = category.as_str().into();
    }
    row["content"] = review.content.as_str().into();
    row["tuple"] = json!(scores);
    row
}

/// Who judges the answers.
pub trait Reviewer: fmt::Debug {
    /// Judges a model's answers, which are filed under the ids of their questions.
    ///
    /// # Errors
    ///
    /// An error if there can be no judgments.
    fn review(&self, bench: &LlavaBench, answers: &HashMap<String, String>) -> Result<Vec<Review>>;
}

/// A file with judgments that were made earlier; see [`read_reviews`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewFile(pub PathBuf);

impl Reviewer for ReviewFile {
    fn review(&self, _: &LlavaBench, _: &HashMap<String, String>) -> Result<Vec<Review>> {
        Ok(read_reviews(&self.0)?)
    }
}

/// The name under which all categories together are listed.
pub(super) const ALL: &str = "all";

/// Mean scores of a category, rounded as `summarize_gpt_review.py` does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The number of answers with scores.
    pub judged: usize,
    /// The mean score of the reference answers, to 3 decimals.
    pub reference: f64,
    /// The mean score of the model's answers, to 3 decimals.
    pub candidate: f64,
    /// The model's mean in percent of the reference's, to 1 decimal; none if that is 0.
    pub relative: Option<f64>,
}

impl Summary {
    pub(super) fn new(pairs: &[ScorePair]) -> Option<Self> {
        let sum = |side: fn(&ScorePair) -> f64| pairs.iter().map(side).fold(0.0, |sum, x| sum + x);
        let sums = [sum(|pair| pair.reference), sum(|pair| pair.candidate)];
        Self::of_sums([sums[0], sums[1], pairs.len() as f64])
    }

    /// From the sums of both scores and the number of answers; none without answers.
    pub(super) fn of_sums([reference, candidate, count]: [f64; 3]) -> Option<Self> {
        let mean = |sum: f64| rounded(sum / count, 3);
        let (reference, candidate) = (mean(reference), mean(candidate));
        let relative = (reference != 0.0).then(|| rounded(candidate / reference * 100.0, 1));
        (count > 0.0).then_some(Self { judged: count as usize, reference, candidate, relative })
    }
}

/// Python's `round`, which rounds to the nearest decimal number as formatting does.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.digits$}").parse().unwrap_or(value)
}

/// What `summarize_gpt_review.py` prints about judgments: each category, and `all` of them. Judgments without scores are left
/// out, where the upstream program counts -1 for both.
#[must_use]
pub fn summarize(reviews: &[Review]) -> BTreeMap<String, Summary> {
    let mut groups: BTreeMap<String, Vec<ScorePair>> = BTreeMap::new();
    for review in reviews {
        let Some(pair) = review.scores else { continue };
        for name in review.category.as_deref().into_iter().chain([ALL]) {
            groups.entry(name.to_owned()).or_default().push(pair);
        }
    }
    let groups = groups.into_iter();
    groups.filter_map(|(name, pairs)| Some((name, Summary::new(&pairs)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_python_rounds_them() {
        // Worked out with `round(value, digits)`.
        for (value, digits, expected) in [
            (0.0625, 3, 0.062),
            (0.1875, 3, 0.188),
            (2.5, 0, 2.0),
            (3.5, 0, 4.0),
            (0.25, 1, 0.2),
            (0.35, 1, 0.3),
            (84.65, 1, 84.7),
            (100.0, 1, 100.0),
            (-0.0004, 3, -0.0),
        ] {
            assert_eq!(rounded(value, digits), expected, "round({value}, {digits})");
        }
    }

    #[test]
    fn without_scores_there_is_no_summary() {
        let review = |scores| Review {
            question_id: "0".into(),
            category: Some("conv".into()),
            content: String::new(),
            scores,
        };
        assert!(summarize(&[review(None)]).is_empty());
        let zero = ScorePair { reference: 0.0, candidate: 3.0 };
        assert_eq!(summarize(&[review(Some(zero))])["conv"].relative, None);
    }
}
