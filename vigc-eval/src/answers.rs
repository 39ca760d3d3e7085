//! What a model answers to the questions of a suite.

mod asker;
mod error;
mod journal;
mod pictures;
mod read;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use asker::{Asker, AskerSettings};
pub use error::{AnswersError, Place, Result};
pub use journal::AnswerJournal;

/// What a model answered to one question of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's name in the suite.
    pub id: String,
    /// The answer.
    pub text: String,
}

/// One thing to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The question's name in the suite.
    pub id: String,
    /// The picture that is asked about.
    pub image: AskImage,
    /// The whole prompt.
    pub prompt: String,
    /// How the answer comes about.
    pub how: How,
}

/// A picture that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskImage {
    /// A file.
    File(PathBuf),
    /// The contents of a file: PNG, JPEG or another format that image files are read from.
    Bytes(Arc<[u8]>),
}

/// How an answer comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The model writes it.
    Write,
    /// The likeliest of the candidates, the first of equal ones.
    Choose(Vec<String>),
}

/// A question that could not be asked, because its picture could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The question's name in the suite.
    pub id: String,
    /// Why the picture could not be read.
    pub reason: String,
}

/// The answers to the questions of a suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The texts, by the questions' names.
    pub texts: HashMap<String, String>,
    /// The questions that could not be asked, in the suite's order.
    pub failures: Vec<Failure>,
}
