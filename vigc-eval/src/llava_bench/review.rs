//! What the judge said about an answer.

use std::path::Path;

use serde_json::{Value, json};

use super::files::name;
use crate::json_lines;
use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::Row;

/// What a reply that cannot be read counts as in LLaVA's files.
const UNPARSED: [f64; 2] = [-1.0, -1.0];

/// The two marks of a judgement, from 1 to 10 as a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marks {
    /// The reference answer's.
    pub reference: f64,
    /// The model's.
    pub candidate: f64,
}

impl Marks {
    /// Reads the first line of a reply: two numbers with one space or comma between them, as LLaVA's
    /// `parse_score` does. What is no such line is no judgement, and neither is one of infinities.
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

/// A number with white space around it, but no space: `split(' ')` would make three parts of that.
fn python_float(text: &str) -> Option<f64> {
    if text.contains(' ') { None } else { text.trim().parse().ok() }
}

/// A judgement of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The question's name.
    pub question_id: String,
    /// The question's category, if the file says so.
    pub category: Option<String>,
    /// The whole reply of the judge.
    pub content: String,
    /// The marks; none if the reply could not be read.
    pub marks: Option<Marks>,
}

/// Reads judgements as `eval_gpt_review_visual.py` writes them: `{question_id, category, content, tuple}` a
/// line. The marks are those of `tuple` (or `score`, in files without categories), not read from the reply
/// again, so that they can be put right by hand; `[-1, -1]` are none.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn read_reviews(path: impl AsRef<Path>) -> Result<Vec<Review>, DataError> {
    let review = |row: &Row<'_>| {
        let text = |key| row.get(key).filter(|value| !value.is_null()).map(|_| row.text(key));
        Ok(Review {
            question_id: name(row)?,
            category: text("category").transpose()?,
            content: text("content").transpose()?.unwrap_or_default(),
            marks: Marks::new(marks(row)?),
        })
    };
    json_lines::read(path.as_ref(), review)
}

fn marks(row: &Row<'_>) -> Result<[f64; 2], DataError> {
    let found = row.get("tuple").or_else(|| row.get("score"));
    let marks = found.and_then(Value::as_array).and_then(|marks| {
        let marks: Option<Vec<f64>> = marks.iter().map(Value::as_f64).collect();
        marks?.try_into().ok()
    });
    marks.ok_or_else(|| row.wrong("tuple", found, "two numbers"))
}

/// Writes judgements as [`read_reviews`] and LLaVA's `summarize_gpt_review.py` read them, whole or not at
/// all.
///
/// # Errors
///
/// [`DataError::Core`] if the file cannot be written.
pub fn write_reviews(path: impl AsRef<Path>, reviews: &[Review]) -> Result<(), DataError> {
    let rows: Vec<_> = (1..).zip(reviews).map(|(id, review)| row(id, review)).collect();
    json_lines::write(path.as_ref(), &rows)
}

fn row(id: u64, review: &Review) -> Value {
    // The program compares numbers.
    let name = &review.question_id;
    let name = name.parse().map_or_else(|_| Value::from(name.as_str()), |id: u64| id.into());
    let marks = review.marks.map_or(UNPARSED, |marks| [marks.reference, marks.candidate]);
    let mut row = json!({ "id": id, "question_id": name });
    if let Some(category) = &review.category {
        row["category"] = category.as_str().into();
    }
    row["content"] = review.content.as_str().into();
    row["tuple"] = json!(marks);
    row
}
