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
    /// A prompt does not say where its image goes.
    #[error("the prompt {prompt:?} holds {placeholder} {found} times, expected once")]
    ImagePlaceholders {
        /// The prompt.
        prompt: String,
        /// The text that stands for the image.
        placeholder: &'static str,
        /// How often it is there.
        found: usize,
    },
    /// The parts of a model do not fit each other.
    #[error("{field} {problem}")]
    Config {
        /// The field of `config.json`.
        field: &'static str,
        /// What it is and what was expected.
        problem: String,
    },
    /// The architecture of a folder is not known.
    #[error("{path}: model_type is {found:?}, expected one of {}", .known.join(", "))]
    Architecture {
        /// The folder's `config.json`.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What it may say.
        known: Vec<&'static str>,
    },
    /// A model cannot tell how likely a given text is.
    #[error("the model {model:?} cannot score given answers")]
    CannotScore {
        /// The model's name.
        model: String,
    },
    /// A file of weights is not what its place in a model needs.
    #[error("{path} is {found}; expected {expected}")]
    FileKind {
        /// The file or folder.
        path: PathBuf,
        /// What it is.
        found: String,
        /// What would do.
        expected: String,
    },
    /// A name is neither that of a folder nor that of a repository.
    #[cfg(feature = "hub")]
    #[error(
        "{name:?} is no model: there is no such folder, and a repository is owner/name or owner/name@revision"
    )]
    ModelSource {
        /// The name.
        name: String,
    },
    /// A repository holds a part of a model, and a whole one was asked for.
    #[cfg(feature = "hub")]
    #[error(
        "{repo} holds a part of a model ({}) and no config.json: name it as the finetuned part, beside language model, image encoder and pretrained part",
        .files.join(", ")
    )]
    PartOfModel {
        /// The repository.
        repo: String,
        /// Its weights.
        files: Vec<String>,
    },
    /// Of the weights of a repository one file has to be named.
    #[cfg(feature = "hub")]
    #[error("{repo} holds {}, expected one .pth file; download the one that you need and name it", .files.join(" and "))]
    SeveralParts {
        /// The repository.
        repo: String,
        /// Its files.
        files: Vec<String>,
    },
    /// A device was asked for that cannot be used.
    #[error("device {name:?} {problem}; there {} {}", if .usable.len() == 1 { "is" } else { "are" }, .usable.join(", "))]
    Device {
        /// The name.
        name: String,
        /// Whether it is unknown, not compiled in or not present.
        problem: &'static str,
        /// The devices that can be used.
        usable: Vec<&'static str>,
    },
    /// A model of another crate failed.
    #[error("the model failed")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A model returned another number of results than it was asked for.
    #[error("the model returned {found} results for {expected} {what}")]
    ResultCount {
        /// What was asked for.
        what: &'static str,
        /// How many.
        expected: usize,
        /// How many came back.
        found: usize,
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
    /// A run was resumed with other settings than it was begun with.
    #[error("{path} was begun with other settings: {}", .differences.join("; "))]
    OtherSettings {
        /// The file of rows.
        path: PathBuf,
        /// Each setting that differs, with both values.
        differences: Vec<String>,
    },
    /// A pattern of file names is not valid.
    #[error("{pattern:?} is not a valid pattern of file names: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// An error with its causes, without the name of a file that it begins with.
#[must_use]
pub fn error_text(error: &dyn std::error::Error, name: &str) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.strip_prefix(&format!("{name}: ")).unwrap_or(&text).to_owned()
}
