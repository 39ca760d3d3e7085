//! Questions and answers about image files, whatever format they were read from.

use std::path::{Path, PathBuf};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};
use vigc_core::files::read_json;

use super::DataError;

/// A question about an image and its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The image's file, as the data set names it.
    pub image: PathBuf,
    /// The question; empty for captions.
    pub question: String,
    /// The answers with their weights; what several people said alike weighs more.
    pub answers: Vec<(String, f64)>,
    /// The choices of a multiple-choice question and the right one.
    pub choices: Option<(Vec<String>, usize)>,
    /// The data set's own name of the question.
    pub question_id: Option<String>,
}

impl Annotation {
    /// An answer, drawn by weight.
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
    /// The annotations, in the file's order.
    pub rows: Vec<Annotation>,
}

/// Answers counted: each distinct one once, weighing as much as it was given.
#[must_use]
pub fn counted(answers: Vec<String>) -> Vec<(String, f64)> {
    let mut counted: Vec<(String, f64)> = Vec::new();
    for answer in answers {
        match counted.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, weight)) => *weight += 1.0,
            None => counted.push((answer, 1.0)),
        }
    }
    counted
}

/// Reads a file that is a list of objects.
pub fn read_rows(path: &Path) -> Result<Vec<Map<String, Value>>, DataError> {
    let rows: Vec<Value> = match read_json(path)? {
        Value::Array(rows) => rows,
        _ => return Err(DataError::Shape { path: path.to_owned(), expected: "a JSON list" }),
    };
    let object = |(row, value): (usize, Value)| match value {
        Value::Object(object) => Ok(object),
        other => {
            Err(Row { path, row, object: &Map::new() }.wrong("row", Some(&other), "an object"))
        }
    };
    rows.into_iter().enumerate().map(object).collect()
}

/// A row with what an error about it needs.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The file.
    pub path: &'a Path,
    /// The position in the file, counted from 0.
    pub row: usize,
    /// The row.
    pub object: &'a Map<String, Value>,
}

impl<'a> Row<'a> {
    /// The error of a value that is missing or of another type.
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

    /// The value of a key.
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
    /// [`DataError::Row`] if it is missing, empty or something else.
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

    /// A name that is a string or a number.
    #[must_use]
    pub fn name(&self, key: &'static str) -> Option<String> {
        match self.get(key)? {
            Value::String(name) => Some(name.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
