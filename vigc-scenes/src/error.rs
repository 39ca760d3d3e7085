//! Errors of data sets on disk.

use std::io;
use std::path::PathBuf;

/// Why a data set could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The output folder exists already.
    #[error("`{0}` exists already; remove it or choose another folder")]
    Exists(PathBuf),
    /// A file or folder could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file or folder could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A line of `scenes.jsonl` does not hold a scene.
    #[error("line {line} of `{path}` is not a scene")]
    Scene {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The numbers of scenes and pictures differ.
    #[error(
        "`{path}` has {scenes} scenes, but there are {pictures} pictures in `images` beside it"
    )]
    Pictures {
        /// The file of scenes.
        path: PathBuf,
        /// The number of its lines.
        scenes: usize,
        /// The number of pictures.
        pictures: usize,
    },
    /// A picture could not be encoded.
    #[error("cannot encode `{path}`")]
    Encode {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: image::ImageError,
    },
}
