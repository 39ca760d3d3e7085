//! The error type of this crate.

use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while generating, training or evaluating.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A checkpoint or a configuration could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An image or an image processor could not be read.
    #[error(transparent)]
    Vision(#[from] vigc_vision::Error),
    /// A tokenizer could not be read, or a generation is impossible.
    #[error(transparent)]
    Llm(#[from] vigc_llm::Error),
    /// The parts of a model do not fit each other.
    #[error("{field} {problem}")]
    Config {
        /// The field of `config.json`.
        field: &'static str,
        /// What it is and what was expected.
        problem: String,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}
