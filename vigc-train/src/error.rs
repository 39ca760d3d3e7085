//! Errors of training.

use std::path::PathBuf;

use burn::store::RecordError;

use vigc_pipeline::data::DataError;

/// A result whose error is [`TrainError`].
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

/// Why a training run stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file could not be read or written, or has the wrong contents.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An image could not be read, or a configuration of an image encoder is invalid.
    #[error(transparent)]
    Vision(#[from] vigc_vision::Error),
    /// A text could not be tokenized, or a configuration or file of a language model is invalid.
    #[error(transparent)]
    Language(#[from] vigc_llm::Error),
    /// A data set could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file or folder could not be read or written.
    #[error("cannot access {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file is not a valid recipe.
    #[error("{path} is not a valid recipe")]
    Recipe {
        /// The recipe.
        path: PathBuf,
        /// The cause, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A value of a recipe is invalid.
    #[error("the recipe's {key} is {value}, expected {expected}")]
    Setting {
        /// The key, with its section.
        key: &'static str,
        /// The value.
        value: String,
        /// The values that are valid.
        expected: &'static str,
    },
    /// The optimizer's state could not be read or written.
    #[error("cannot access the optimizer state {path}")]
    Optimizer {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: RecordError,
    },
    /// The output folder contains a run, and `resume` is false.
    #[error("{path} already contains a run; resume it or choose another folder")]
    Occupied {
        /// The output folder.
        path: PathBuf,
    },
    /// The run to resume has other settings.
    #[error(
        "{path} belongs to a run with other settings (fingerprint {found}, expected {expected})"
    )]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// The fingerprint of its settings.
        found: String,
        /// The fingerprint of the current settings.
        expected: String,
    },
    /// The loss is not finite.
    #[error("the loss became {loss} at update {update}")]
    Diverged {
        /// The update.
        update: u64,
        /// The loss.
        loss: f64,
    },
    /// A model could not be loaded, run or saved.
    #[error(transparent)]
    Model(Box<vigc_pipeline::Error>),
    /// A thread that prepares batches panicked.
    #[error("a thread that prepares batches panicked")]
    Producer,
}

impl TrainError {
    /// Wraps an error of a model.
    pub(crate) fn pipeline(source: vigc_pipeline::Error) -> Self {
        Self::Model(Box::new(source))
    }

    /// Adds the path to an I/O error.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
