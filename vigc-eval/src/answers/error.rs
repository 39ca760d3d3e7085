//! What can go wrong while a suite is asked, and while answers are read.

use std::fmt;
use std::path::PathBuf;

/// A result whose error is [`AnswersError`].
pub type Result<T, E = AnswersError> = std::result::Result<T, E>;

/// Why there are no answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswersError {
    /// The model failed, or a file could not be read or written.
    #[error(transparent)]
    Pipeline(#[from] vigc_pipeline::Error),
    /// A file of answers could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// Two questions of a suite have one name.
    #[error("questions {first} and {second} are both called {id:?}")]
    SameName {
        /// The name.
        id: String,
        /// The place of the first, counted from 1.
        first: usize,
        /// The place of the second.
        second: usize,
    },
    /// A question leaves nothing to choose from.
    #[error("question {id:?} has no candidates, expected at least one")]
    NoCandidates {
        /// The question.
        id: String,
    },
    /// A question is on record with another prompt.
    #[error("{path} answers {id:?} to the prompt {recorded:?}, and it is to be asked {prompt:?}")]
    OtherPrompt {
        /// The record.
        path: PathBuf,
        /// The question.
        id: String,
        /// The prompt on record.
        recorded: String,
        /// The prompt of now.
        prompt: String,
    },
    /// A file of answers is neither of the forms that are read.
    #[error("{path} is no list of answers: {found}, expected an answer a line or a JSON list")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// An answer lacks something or holds something else.
    #[error("{path}, {place}: {key} is {found}, expected {expected}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The key.
        key: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A file answers a question twice.
    #[error("{path}, {first} and {second} both answer {id:?}")]
    Twice {
        /// The file.
        path: PathBuf,
        /// The question.
        id: String,
        /// Where the first answer is.
        first: Place,
        /// Where the second answer is.
        second: Place,
    },
}

/// Where in a file an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line, counted from 1.
    Line(usize),
    /// An entry of a list, counted from 0.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}
