//! What can go wrong in training.

use std::path::PathBuf;

use burn::store::RecordError;

use vigc_pipeline::data::DataError;

/// A result whose error is [`TrainError`].
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

/// Why a training stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A configuration or a checkpoint could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An image or the settings of the image side were refused.
    #[error(transparent)]
    Vision(#[from] vigc_vision::Error),
    /// The settings or files of the language side were refused.
    #[error(transparent)]
    Language(#[from] vigc_llm::Error),
    /// A data set could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of the output folder could not be read or written.
    #[error("cannot access {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A recipe is not valid.
    #[error("{path} is not a valid recipe")]
    Recipe {
        /// The recipe.
        path: PathBuf,
        /// The cause, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A value of a recipe makes no sense.
    #[error("the recipe's {key} is {value}, expected {expected}")]
    Setting {
        /// The key, with its section.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
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
    /// The output folder holds another run, and resuming was not asked for.
    #[error("{path} already holds a run; resume it or choose another folder")]
    Occupied {
        /// The output folder.
        path: PathBuf,
    },
    /// The run to resume was started with other settings.
    #[error("{path} was written by a run with other settings ({found}, now {expected})")]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// Its fingerprint.
        found: String,
        /// The fingerprint of the settings at hand.
        expected: String,
    },
    /// The loss is not a number.
    #[error("the loss became {loss} at update {update}")]
    Diverged {
        /// The update.
        update: u64,
        /// The loss.
        loss: f64,
    },
    /// Text could not be tokenized.
    #[error("cannot tokenize: {0}")]
    Text(String),
    /// A model could not be read or written.
    #[error(transparent)]
    Model(Box<vigc_pipeline::Error>),
    /// A thread that prepares batches died.
    #[error("a thread that prepares batches panicked")]
    Producer,
}

impl TrainError {
    pub(crate) fn pipeline(source: vigc_pipeline::Error) -> Self {
        Self::Model(Box::new(source))
    }

    /// Adds the file to an I/O error.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
