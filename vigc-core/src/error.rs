//! The error type of this crate.

use std::path::PathBuf;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while reading and writing configurations and checkpoints.
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
    /// A JSON file does not hold what was expected.
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
    /// A folder holds no weights.
    #[error(
        "{path} holds no weights, expected model.safetensors or pytorch_model.bin, whole or with an index of shards"
    )]
    NoWeights {
        /// The folder.
        path: PathBuf,
    },
    /// An index of shards names a file outside its folder.
    #[error("{path} names the shard {shard:?}, expected a plain file name")]
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
        /// Which tensor or which step failed.
        reason: String,
    },
    /// A tensor does not fit its parameter.
    #[error("{path} does not fit the model: {reason}")]
    Apply {
        /// The checkpoint.
        path: PathBuf,
        /// Which tensor, what was expected and what was found.
        reason: String,
    },
    /// What should be a copy of another tensor of the file is none.
    #[error("{path}: {copy} should be a copy of {original}, but {difference}")]
    Copy {
        /// The checkpoint.
        path: PathBuf,
        /// The tensor that should be a copy.
        copy: String,
        /// The tensor that it should be a copy of.
        original: String,
        /// What differs.
        difference: String,
    },
    /// A checkpoint lacks tensors that the model needs.
    #[error("{path} lacks {} of the model's tensors, the first is {:?}", .missing.len(), .missing[0])]
    MissingTensors {
        /// The checkpoint.
        path: PathBuf,
        /// The parameters left without a value, at least one.
        missing: Vec<String>,
    },
    /// A name is not that of a repository of the Hugging Face hub.
    #[cfg(feature = "hub")]
    #[error("{name:?} is no repository, expected owner/name or owner/name@revision")]
    RepoId {
        /// The name.
        name: String,
    },
    /// A file could not be had from the Hugging Face hub.
    #[cfg(feature = "hub")]
    #[error("{repo}, {file}: cannot be fetched")]
    Hub {
        /// The repository.
        repo: String,
        /// The file.
        file: String,
        /// What is wrong.
        source: Box<crate::weights::hub::Problem>,
    },
}
