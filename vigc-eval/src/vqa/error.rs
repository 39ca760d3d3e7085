//! What can go wrong with questions and the answers to them.

use std::path::PathBuf;

use vigc_pipeline::data::DataError;

/// Why questions could not be read, or answers not be scored or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VqaError {
    /// A file of questions could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of answers could not be written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// Two questions have the same name, so an answer would belong to both.
    #[error("{path} holds question {id} twice")]
    Twice {
        /// The file of the questions.
        path: PathBuf,
        /// The question.
        id: String,
    },
    /// There are answers to questions that the suite does not have.
    #[error("{count} answers are to no question of {path}, first: {id}")]
    Unknown {
        /// The file of the questions.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first question, in alphabetical order.
        id: String,
    },
    /// A server takes no file that lacks answers.
    #[error("{count} questions of {path} are not answered, first: {id}; a submission needs all")]
    Missing {
        /// The file of the questions.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first question, in the file's order.
        id: String,
    },
    /// An answer is none of a question's choices.
    #[error("question {id}: {answer:?} is no choice, expected one of {}", .choices.join(", "))]
    NoChoice {
        /// The question.
        id: String,
        /// The answer.
        answer: String,
        /// The choices.
        choices: Vec<String>,
    },
    /// VQA's servers name questions by numbers.
    #[error("question {id} of {path} is not named by a whole number, as VQA's server expects")]
    NoNumber {
        /// The file of the questions.
        path: PathBuf,
        /// The question.
        id: String,
    },
}
