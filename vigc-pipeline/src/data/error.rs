//! The error type of data sets.

use std::path::PathBuf;

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be read, or is not JSON.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An image could not be read.
    #[error(transparent)]
    Vision(#[from] vigc_vision::Error),
    /// A value of a row is missing or not as expected.
    #[error("{path}, row {row}: {key} is {found}, expected {expected}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// The key.
        key: &'static str,
        /// Its value, or `missing`.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A JSON file has another structure.
    #[error("{path} is not {expected}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: String,
    },
    /// The index of an image is out of range.
    #[error("image {index} does not exist; the data set has {len}")]
    NoImage {
        /// The index, counted from 0.
        index: usize,
        /// The number of images.
        len: usize,
    },
    /// A data set has no rows.
    #[error("{name} has no rows")]
    Empty {
        /// The data set.
        name: String,
    },
    /// A ratio of a mixture is not a positive number.
    #[error("the ratio of {name} is {ratio}, expected a positive number")]
    Ratio {
        /// The data set.
        name: String,
        /// Its ratio.
        ratio: f64,
    },
}
