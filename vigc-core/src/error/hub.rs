//! Errors of downloads from the Hugging Face hub.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a file of a repository could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The address of the hub is not valid.
    #[error("the endpoint {endpoint:?} is not an http or https address")]
    Endpoint {
        /// The address.
        endpoint: String,
    },
    /// The environment names no folder for a cache.
    #[error("there is no home folder for the cache; set HF_HUB_CACHE")]
    NoCache,
    /// The name of a file points outside the repository.
    #[error("the file name points outside the repository")]
    FileName,
    /// The repository has no such file.
    #[error("the repository has no such file")]
    NoFile,
    /// The repository has no weights.
    #[error(
        "the repository has no weights, expected model.safetensors, pytorch_model.bin or a .pth file"
    )]
    NoWeights,
    /// The file is not in the cache, and downloads are off.
    #[error("not in the cache {cache}, and downloads are off (HF_HUB_OFFLINE)")]
    NotCached {
        /// The repository's folder in the cache.
        cache: PathBuf,
    },
    /// The server denies access, or has no such repository or file.
    #[error(
        "the server answers {status}; check the name. A private or gated repository needs the token of a user who may \
         read it (HF_TOKEN)"
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
        /// How long to wait, if the server says so.
        retry_after: Option<Duration>,
    },
    /// The server cannot be reached, or the connection broke.
    #[error("the connection failed; set HF_HUB_OFFLINE=1 to use the cache only")]
    Connection(#[source] io::Error),
    /// The server's answer lacks something.
    #[error("the server's answer has no {lacks}")]
    Answer {
        /// What is missing.
        lacks: &'static str,
    },
    /// The list of files cannot be read.
    #[error("the server's answer is not a list of files")]
    Listing(#[source] serde_json::Error),
    /// The server redirects too often, or to something that is not a web address.
    #[error("the server redirects to {location:?}")]
    Redirect {
        /// Where to.
        location: String,
    },
    /// The download is shorter or longer than the file.
    #[error("expected {expected} bytes, found {found}; the download was deleted")]
    Size {
        /// The size that the hub names.
        expected: u64,
        /// The size of the download.
        found: u64,
    },
    /// The download has another hash than the file.
    #[error("expected the hash {expected}, found {found}; the download was deleted")]
    Hash {
        /// The hash that the hub names: a SHA-256, or the SHA-1 of a git blob.
        expected: String,
        /// The hash of the download.
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

impl HubError {
    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Size { expected, found } => found < expected,
            _ => false,
        }
    }

    /// How long the server asks to wait before another attempt.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn cache(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Cache { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_failures_are_transient() {
        let status = |status| HubError::Status { status, retry_after: None };
        let connection = HubError::Connection(io::ErrorKind::TimedOut.into());
        for error in [status(503), status(429), connection] {
            assert!(error.is_transient(), "{error}");
        }
        for error in [status(400), HubError::Denied { status: 401 }, HubError::NoFile] {
            assert!(!error.is_transient(), "{error}");
        }
    }
}
