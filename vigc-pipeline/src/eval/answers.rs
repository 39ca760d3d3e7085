//! What a model answers to the questions of a suite.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
