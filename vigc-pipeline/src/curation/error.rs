//! The error type of curation.

use std::path::{Path, PathBuf};

/// Why a data set could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CurationError {
    /// A file could not be read or written, or a line of it is not a row.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An export could not be written.
    #[error(transparent)]
    Export(#[from] crate::Error),
    /// The folder of the data set exists already.
    #[error("{0} exists; remove it or choose another folder")]
    Exists(PathBuf),
    /// A file does not hold settings of gates.
    #[error("{path} does not hold settings of gates")]
    Gates {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: Box<toml::de::Error>,
    },
    /// A setting of a gate is out of range.
    #[error("{key} is {value}, expected {expected}")]
    Setting {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The gates dropped every row.
    #[error(
        "no rows are left: {read} were read{}",
        .dropped.iter().map(|(gate, rows)| format!("; {gate} dropped {rows}")).collect::<String>()
    )]
    Empty {
        /// How many rows were read.
        read: u64,
        /// How many rows each gate dropped.
        dropped: Vec<(String, u64)>,
    },
    /// A picture that an export includes cannot be read.
    #[error("cannot read the picture {path}")]
    Picture {
        /// The picture's file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A format needs a Cargo feature that is not enabled.
    #[error("the feature {feature} is not compiled in")]
    NotCompiledIn {
        /// The Cargo feature.
        feature: &'static str,
    },
    /// A Parquet file could not be written.
    #[cfg(feature = "parquet")]
    #[error("cannot write {path}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: parquet::errors::ParquetError,
    },
}

/// Turns the cause of a failed write to `path` into an error.
pub(super) fn write_error(path: &Path) -> impl FnOnce(std::io::Error) -> CurationError {
    let path = path.to_owned();
    |source| vigc_core::Error::Write { path, source }.into()
}
