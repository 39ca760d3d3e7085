//! Questions and answers about image files, and the rows of JSON files that they are read from.

use std::path::{Path, PathBuf};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};
use vigc_core::files::read_json;

use super::error::DataError;

/// A question about an image and its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The image file, as the data set names it.
    pub image: PathBuf,
    /// The question; empty for captions.
    pub question: String,
    /// The answers with their weights. An answer that several people gave weighs more.
    pub answers: Vec<(String, f64)>,
    /// The choices of a multiple-choice question and the index of the right one.
    pub choices: Option<(Vec<String>, usize)>,
    /// The data set's own id of the question.
    pub question_id: Option<String>,
}

impl Annotation {
    /// Draws an answer by weight. Without answers, it is empty.
    #[must_use]
    pub fn draw_answer(&self, rng: &mut ChaCha8Rng) -> &str {
        let total: f64 = self.answers.iter().map(|(_, weight)| weight).sum();
        let mut rest = rng.random_range(0.0..total.max(f64::MIN_POSITIVE));
        for (answer, weight) in &self.answers {
            if rest < *weight {
                return answer;
            }
            rest -= weight;
        }
        self.answers.last().map_or("", |(answer, _)| answer)
    }
}

/// The annotations of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotations {
    /// The file that they were read from.
    pub path: PathBuf,
    /// The annotations, in the order of the file.
    pub rows: Vec<Annotation>,
}

/// Counts answers: each different answer once, weighted by the number of times that it was given.
#[must_use]
pub fn count_answers(answers: Vec<String>) -> Vec<(String, f64)> {
    let mut counted: Vec<(String, f64)> = Vec::new();
    for answer in answers {
        match counted.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, weight)) => *weight += 1.0,
            None => counted.push((answer, 1.0)),
        }
    }
    counted
}

/// Reads a file that is a JSON list of objects.
///
/// # Errors
///
/// [`DataError`] naming the file, and the row that is not an object.
pub fn read_rows(path: &Path) -> Result<Vec<Map<String, Value>>, DataError> {
    let rows: Vec<Value> = match read_json(path)? {
        Value::Array(rows) => rows,
        _ => {
            let expected = "a JSON list of objects".to_owned();
            return Err(DataError::Shape { path: path.to_owned(), expected });
        }
    };
    objects(path, "row", rows)
}

/// Reads the list of objects at a key of a file that is a JSON object.
pub(super) fn read_list(
    path: &Path,
    key: &'static str,
) -> Result<Vec<Map<String, Value>>, DataError> {
    let mut file: Map<String, Value> = read_json(path)?;
    let Some(Value::Array(list)) = file.remove(key) else {
        let expected = format!("a JSON object with a list of objects at {key:?}");
        return Err(DataError::Shape { path: path.to_owned(), expected });
    };
    objects(path, key, list)
}

/// The values of a list, each of which must be an object. Errors name it `key`.
fn objects(
    path: &Path,
    key: &'static str,
    list: Vec<Value>,
) -> Result<Vec<Map<String, Value>>, DataError> {
    let object = |(row, value): (usize, Value)| match value {
        Value::Object(object) => Ok(object),
        other => Err(Row { path, row, object: &Map::new() }.wrong(key, Some(&other), "an object")),
    };
    list.into_iter().enumerate().map(object).collect()
}

/// A row of a file, with readers of its values whose errors name file, row and key.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The file.
    pub path: &'a Path,
    /// The position in the list, counted from 0.
    pub row: usize,
    /// The values by key.
    pub object: &'a Map<String, Value>,
}

impl<'a> Row<'a> {
    /// The error for a value that is missing or not as expected.
    #[must_use]
    pub fn wrong(
        &self,
        key: &'static str,
        found: Option<&Value>,
        expected: &'static str,
    ) -> DataError {
        let found = found
            .map_or("missing".to_owned(), |found| found.to_string().chars().take(60).collect());
        DataError::Row { path: self.path.to_owned(), row: self.row, key, found, expected }
    }

    /// The value of a key, if it is there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key)
    }

    /// A string.
    ///
    /// # Errors
    ///
    /// [`DataError::Row`] if it is missing or something else.
    pub fn text(&self, key: &'static str) -> Result<String, DataError> {
        let found = self.get(key);
        let text = found.and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| self.wrong(key, found, "a string"))
    }

    /// A list of strings, or one string.
    ///
    /// # Errors
    ///
    /// [`DataError::Row`] if it is missing, an empty list or something else.
    pub fn texts(&self, key: &'static str) -> Result<Vec<String>, DataError> {
        let found = self.get(key);
        let wrong = || self.wrong(key, found, "a string or a list of strings, not empty");
        match found {
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(texts)) if !texts.is_empty() => texts
                .iter()
                .map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            _ => Err(wrong()),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// [`DataError::Row`] if it is missing or something else.
    pub fn number(&self, key: &'static str) -> Result<u64, DataError> {
        let found = self.get(key);
        found.and_then(Value::as_u64).ok_or_else(|| self.wrong(key, found, "a whole number"))
    }

    /// An id that is a string or a number.
    #[must_use]
    pub fn name(&self, key: &'static str) -> Option<String> {
        match self.get(key)? {
            Value::String(name) => Some(name.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
