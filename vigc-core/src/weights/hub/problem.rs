//! What can go wrong on the way from the hub.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a file of a repository is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The address of the hub is none.
    #[error("the endpoint {endpoint:?} is not an http or https address")]
    Endpoint {
        /// The address.
        endpoint: String,
    },
    /// The environment names no place for a cache.
    #[error("there is no home folder for the cache; set HF_HUB_CACHE")]
    NoCache,
    /// A file's name leads out of its repository.
    #[error("the name leads out of the repository")]
    FileName,
    /// The repository has no such file.
    #[error("the repository has no such file")]
    NoFile,
    /// The repository holds no weights.
    #[error("the repository has no weights: neither safetensors nor pytorch_model.bin nor .pth")]
    NoWeights,
    /// The file is not in the cache, and downloads are off.
    #[error("not in the cache {cache}, and downloads are off (HF_HUB_OFFLINE)")]
    NotCached {
        /// The repository's folder in the cache.
        cache: PathBuf,
    },
    /// The server does not give this out, or has no such thing.
    #[error(
        "the server answers {status}; does it exist? A private or gated repository needs a token of someone \
         who may read it (HF_TOKEN)"
    )]
    Denied {
        /// 401, 403 or 404.
        status: u16,
    },
    /// The server failed.
    #[error("the server answers {status}")]
    Status {
        /// The status of the answer.
        status: u16,
        /// How long to wait, if the server says.
        retry_after: Option<Duration>,
    },
    /// The server cannot be reached, or the connection broke.
    #[error("the connection failed; with HF_HUB_OFFLINE=1 the cache is used alone")]
    Connection(#[source] io::Error),
    /// The server's answer lacks something.
    #[error("the server's answer has no {lacks}")]
    Answer {
        /// What was expected of it.
        lacks: &'static str,
    },
    /// The list of files is not the hub's.
    #[error("the server's answer is no list of files")]
    Listing(#[source] serde_json::Error),
    /// The server sends elsewhere too often, or nowhere.
    #[error("the server redirects to {location:?}")]
    Redirect {
        /// Where to.
        location: String,
    },
    /// What came is shorter or longer than the file.
    #[error("expected {expected} bytes, found {found}; the file was deleted")]
    Size {
        /// What the hub says.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// What came are other bytes than those of the file.
    #[error("expected the hash {expected}, found {found}; the file was deleted")]
    Hash {
        /// What the hub says: a SHA-256, or the SHA-1 of a git blob.
        expected: String,
        /// That of the bytes that came.
        found: String,
    },
    /// The cache could not be read or written.
    #[error("cannot write {path}")]
    Cache {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Problem {
    /// Whether trying again may help.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Size { expected, found } => found < expected,
            _ => false,
        }
    }

    pub(super) fn cache(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Cache { path: path.to_owned(), source }
    }
}
