//! The error type of this crate.

use std::path::PathBuf;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in an image file or a configuration.
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
    /// The content of a file is not in a known image format.
    #[error("{path}: not an image")]
    NotAnImage {
        /// The file.
        path: PathBuf,
    },
    /// An image has more pixels or a longer side than allowed. It was not decoded.
    #[error(
        "{path}: image of {width}x{height} pixels exceeds the limit of {max_pixels} pixels and {max_side} a side"
    )]
    ImageTooLarge {
        /// The file.
        path: PathBuf,
        /// The width in its header.
        width: u32,
        /// The height in its header.
        height: u32,
        /// Largest width times height allowed.
        max_pixels: u64,
        /// Longest side allowed, in pixels.
        max_side: u32,
    },
    /// An image ends before its last pixel.
    #[error("{path}: truncated image")]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// An image is damaged or uses a feature that its decoder lacks.
    #[error("{path}: cannot decode image")]
    Decode {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: image::ImageError,
    },
    /// A configuration contains a value that cannot be used.
    #[error("{field} = {value}: {reason}")]
    Config {
        /// The field's name in the file.
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
