//! What can go wrong while reading a data set.

use std::path::PathBuf;

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be read, or is no JSON.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An image could not be read.
    #[error(transparent)]
    Vision(#[from] vigc_vision::Error),
    /// A row lacks something or holds something else.
    #[error("{path}, row {row}: {key} is {found}, expected {expected}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// The key.
        key: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A file holds another shape of JSON.
    #[error("{path} is not {expected}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// A folder could not be listed.
    #[error("cannot list {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// There is no such image.
    #[error("there is no image {index} among {len}")]
    NoImage {
        /// Its position.
        index: usize,
        /// How many there are.
        len: usize,
    },
    /// A data set holds no rows.
    #[error("{name} holds no rows")]
    Empty {
        /// The data set.
        name: String,
    },
    /// A mixture's ratios make no sense.
    #[error("the ratio of {name} is {ratio}, expected a positive number")]
    Ratio {
        /// The data set.
        name: String,
        /// Its ratio.
        ratio: f64,
    },
}
