//! What can go wrong while a data set is made.

use std::path::{Path, PathBuf};

/// Why a data set could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CurationError {
    /// A file of rows could not be read, or a file written.
    #[error(transparent)]
    Rows(#[from] crate::Error),
    /// A card could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// There is something at the place where the data set should go.
    #[error("{0} exists; remove it or choose another folder")]
    Exists(PathBuf),
    /// A folder could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of gates does not hold settings of gates.
    #[error("{path} does not hold settings of gates")]
    Gates {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: Box<toml::de::Error>,
    },
    /// A gate's threshold makes no sense.
    #[error("{key} is {value}, expected {expected}")]
    Setting {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// No row is left.
    #[error(
        "no row is left of {read}{}",
        .dropped.iter().map(|(gate, rows)| format!("; {gate} dropped {rows}")).collect::<String>()
    )]
    Empty {
        /// How many rows were read.
        read: u64,
        /// How many each gate dropped.
        dropped: Vec<(String, u64)>,
    },
    /// A row's picture cannot be read.
    #[error("cannot read the picture {path}")]
    Picture {
        /// The picture's file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A format was left out when the program was built.
    #[error("the feature {feature} is not compiled in")]
    NotCompiledIn {
        /// The Cargo feature that it needs.
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

impl CurationError {
    /// What an error while writing to `path` becomes.
    pub(super) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Write { path, source }
    }
}
