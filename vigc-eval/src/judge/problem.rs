//! What can go wrong with one request.

use std::io;
use std::time::Duration;

/// The longest wait that an endpoint may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Why a request has no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no connection.
    #[error("the endpoint cannot be reached; check its address, and whether it runs")]
    Unreachable(#[source] io::Error),
    /// The connection broke, or nothing came for too long.
    #[error("the connection broke or stalled")]
    Broken(#[source] io::Error),
    /// The endpoint refused or failed.
    #[error("the endpoint answers {status}: {message}{}", hint(*.status, *.is_quota))]
    Status {
        /// The status of the answer.
        status: u16,
        /// What the endpoint says about it.
        message: String,
        /// Whether it says that the account has nothing left.
        is_quota: bool,
        /// How long to wait, if the endpoint says.
        retry_after: Option<Duration>,
        /// The whole answer.
        raw: String,
    },
    /// The answer is no reply.
    #[error("the endpoint's answer {is}")]
    Nonsense {
        /// What it is or lacks.
        is: String,
        /// The whole answer.
        raw: String,
    },
}

/// What follows from a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another attempt may succeed; if none does, no other request would.
    AgainOrStop,
    /// Another attempt may succeed.
    Again,
    /// Another attempt may succeed, but each is paid for.
    AgainAFewTimes,
    /// This request will not succeed.
    Fail,
    /// No request will succeed.
    Stop,
}

impl Problem {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Unreachable(_) => Verdict::AgainOrStop,
            Self::Broken(_) => Verdict::Again,
            Self::Nonsense { .. } => Verdict::AgainAFewTimes,
            Self::Status { is_quota: true, .. } => Verdict::Stop,
            Self::Status { retry_after: Some(wait), .. } if *wait > LONGEST_WAIT => Verdict::Stop,
            Self::Status { status, .. } => match status {
                408 | 409 | 429 | 500.. => Verdict::Again,
                300..=399 | 401..=404 => Verdict::Stop,
                _ => Verdict::Fail,
            },
        }
    }

    /// How long the endpoint wants nothing to be asked.
    pub(super) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn raw(&self) -> Option<&str> {
        match self {
            Self::Status { raw, .. } | Self::Nonsense { raw, .. } => Some(raw),
            Self::Unreachable(_) | Self::Broken(_) => None,
        }
    }

    /// With the cause, which a journal keeps as text.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Unreachable(cause) | Self::Broken(cause) => format!("{self}: {cause}"),
            Self::Status { .. } | Self::Nonsense { .. } => self.to_string(),
        }
    }
}

impl From<ureq::Error> for Problem {
    fn from(error: ureq::Error) -> Self {
        use ureq::Error::{ConnectionFailed, HostNotFound, Io, Rustls, Timeout, Tls};
        use ureq::Timeout::{Connect, Resolve};
        let is_unreachable = match &error {
            HostNotFound | ConnectionFailed | Tls(_) | Rustls(_) | Timeout(Connect | Resolve) => {
                true
            }
            Io(cause) => matches!(
                cause.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
            ),
            _ => false,
        };
        let cause = error.into_io();
        if is_unreachable { Self::Unreachable(cause) } else { Self::Broken(cause) }
    }
}

/// What to check.
fn hint(status: u16, is_quota: bool) -> &'static str {
    match status {
        402 => "; check what the account has left",
        _ if is_quota => "; check what the account has left",
        300..=399 => "; the address redirects, give the one that it redirects to",
        400 | 413 | 422 => "; check the model's limits and what parameters it takes",
        401 => "; check the key",
        403 => "; check what the key may be used for",
        404 => "; check the address, which mostly ends in /v1, and the model's name",
        429 => "; a limit of requests a minute may help",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, is_quota: bool, seconds: Option<u64>) -> Problem {
        let (message, raw) = ("no".to_owned(), String::new());
        let retry_after = seconds.map(Duration::from_secs);
        Problem::Status { status, message, is_quota, retry_after, raw }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for code in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert_eq!(status(code, false, Some(1)).verdict(), Verdict::Again, "{code}");
        }
        for code in [400, 405, 413, 422] {
            assert_eq!(status(code, false, None).verdict(), Verdict::Fail, "{code}");
        }
        for code in [302, 401, 402, 403, 404] {
            assert_eq!(status(code, false, None).verdict(), Verdict::Stop, "{code}");
        }
        assert_eq!(status(429, true, Some(1)).verdict(), Verdict::Stop);
        assert_eq!(status(429, false, Some(86_400)).verdict(), Verdict::Stop);
    }

    #[test]
    fn an_error_says_what_to_check() {
        let shown = status(401, false, None).to_string();
        assert_eq!(shown, "the endpoint answers 401: no; check the key");
    }
}
