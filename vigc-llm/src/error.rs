//! The error type of this crate.

use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a tokenizer, an adapter or a generation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// A low-rank adapter does not fit a model.
    #[error("{path} {problem}")]
    Adapter {
        /// The file or folder.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A tokenizer could not be read.
    #[error("{path} is not a readable tokenizer")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A tokenizer lacks a special token.
    #[error("{path} lacks the special token {token:?}")]
    SpecialToken {
        /// The file.
        path: PathBuf,
        /// The token.
        token: String,
    },
    /// A tokenizer could not be trained.
    #[error("cannot train a tokenizer: {reason}")]
    TokenizerTraining {
        /// The problem with the corpus or the settings, or the cause.
        reason: String,
    },
    /// A text could not be turned into tokens or back.
    #[error("cannot tokenize {text:?}")]
    Text {
        /// The beginning of the text, or the tokens.
        text: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting of a generation is out of range.
    #[error("{name} is {value}, expected {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// The possible values.
        expected: &'static str,
    },
    /// A mask has another shape than the embeddings that it belongs to.
    #[error(
        "the mask of the prompts has the shape {found:?}, expected {expected:?} as the embeddings"
    )]
    MaskShape {
        /// Rows and positions of the mask.
        found: [usize; 2],
        /// Rows and positions of the embeddings.
        expected: [usize; 2],
    },
    /// A prompt of a batch cannot be continued.
    #[error("row {row} of the prompts {problem}")]
    Prompt {
        /// The row, counted from 0.
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The model computed scores that are not finite.
    #[error("the scores of row {row} after {tokens} tokens are not finite")]
    NotFinite {
        /// The row of the prompts.
        row: usize,
        /// The number of tokens generated before.
        tokens: usize,
    },
}
