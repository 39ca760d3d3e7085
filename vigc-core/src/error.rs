//! The error types of this crate.

#[cfg(feature = "hub")]
mod hub;

use std::path::PathBuf;

#[cfg(feature = "hub")]
pub use hub::HubError;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file, a checkpoint or a download could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// A JSON file does not hold the expected value.
    #[error("{path} is not valid")]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause, with line and column.
        source: serde_json::Error,
    },
    /// Another process is writing to the same file.
    #[error("{path} is being written by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line of a JSON Lines file does not hold a row.
    #[error("{path}, line {line} is not a row")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The cause.
        source: serde_json::Error,
    },
    /// A folder has no weights.
    #[error(
        "{path} holds no weights, expected model.safetensors or pytorch_model.bin, as one file or as shards with an index"
    )]
    NoWeights {
        /// The folder.
        path: PathBuf,
    },
    /// An index of shards names a file outside its folder.
    #[error("{path} names the shard {shard:?}, expected the name of a file in the same folder")]
    ShardName {
        /// The index.
        path: PathBuf,
        /// The name.
        shard: String,
    },
    /// A safetensors checkpoint could not be read.
    #[error("{path} is not a readable safetensors file")]
    Safetensors {
        /// The checkpoint.
        path: PathBuf,
        /// The cause.
        source: Box<burn_store::SafetensorsStoreError>,
    },
    /// A PyTorch checkpoint could not be read.
    #[error("{path} is not a readable PyTorch checkpoint")]
    PyTorch {
        /// The checkpoint.
        path: PathBuf,
        /// The cause.
        source: Box<burn_store::pytorch_reader::PytorchError>,
    },
    /// Weights could not be saved.
    #[error("cannot save {path}: {reason}")]
    Save {
        /// The file.
        path: PathBuf,
        /// The tensor or the step that failed.
        reason: String,
    },
    /// A tensor does not fit its parameter.
    #[error("{path} does not fit the model: {reason}")]
    Apply {
        /// The checkpoint.
        path: PathBuf,
        /// The tensor, what was expected and what was found.
        reason: String,
    },
    /// A tensor that should be a copy of another one in the file differs from it.
    #[error("{path}: {copy} should be a copy of {original}, but {difference}")]
    Copy {
        /// The checkpoint.
        path: PathBuf,
        /// The copy.
        copy: String,
        /// The tensor that it should be equal to.
        original: String,
        /// How they differ.
        difference: String,
    },
    /// The model has parameters without a tensor in the checkpoint.
    #[error("{path} lacks {} of the model's tensors; the first is {:?}", .missing.len(), .missing[0])]
    MissingTensors {
        /// The checkpoint.
        path: PathBuf,
        /// The parameters without a tensor; there is at least one.
        missing: Vec<String>,
    },
    /// A name is not a name of a repository on the Hugging Face hub.
    #[cfg(feature = "hub")]
    #[error("{name:?} is not the name of a repository, expected owner/name or owner/name@revision")]
    RepoId {
        /// The name.
        name: String,
    },
    /// A file could not be fetched from the Hugging Face hub.
    #[cfg(feature = "hub")]
    #[error("cannot fetch {file} of {repo}")]
    Hub {
        /// The repository.
        repo: String,
        /// The file.
        file: String,
        /// The cause.
        source: Box<HubError>,
    },
}
