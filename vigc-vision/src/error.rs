//! The error type of this crate.

use std::path::PathBuf;

use crate::image::ImageLimits;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a file and its pixels, and in configurations.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file is larger than allowed.
    #[error("{path}: file of {bytes} bytes exceeds the limit of {limit}")]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size allowed.
        limit: u64,
    },
    /// A file's content is in no known image format.
    #[error("{path}: not an image")]
    NotAnImage {
        /// The file.
        path: PathBuf,
    },
    /// An image has more pixels than allowed, or a longer side. It was not decoded.
    #[error(
        "{path}: image of {width}x{height} pixels exceeds the limit of {} pixels and {} a side",
        .limits.max_pixels, .limits.max_side
    )]
    ImageTooLarge {
        /// The file.
        path: PathBuf,
        /// The width its header states.
        width: u32,
        /// The height its header states.
        height: u32,
        /// The limits.
        limits: ImageLimits,
    },
    /// An image ends before its last pixel.
    #[error("{path}: truncated image")]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// An image is damaged, or uses a feature that its decoder lacks.
    #[error("{path}: cannot decode image")]
    Decode {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: image::ImageError,
    },
    /// A configuration holds a value that cannot be used.
    #[error("{field} = {value}: {reason}")]
    Config {
        /// The field, by its name in the file.
        field: &'static str,
        /// Its value.
        value: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// A configuration file could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
}
