//! What can go wrong, and what is done about it.

use std::io;
use std::time::Duration;

use vigc_core::retry::RetryState;

/// The longest wait that an endpoint may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// How often a request is repeated because of invalid replies. Each of them may cost money.
const INVALID_REPLIES: u32 = 3;

/// Why a judge cannot be asked, or not continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The address is not one to which requests can be sent.
    #[error(
        "the address {address:?} is not valid, expected http(s)://host/path without user name, password and query"
    )]
    Address {
        /// The address, without parts that may be secret.
        address: String,
    },
    /// The key is not valid.
    #[error("the key is not valid, expected ASCII characters without spaces")]
    Key,
    /// There is no key.
    #[error("the environment variable {variable}, which should hold the key, is not set")]
    NoKey {
        /// The variable.
        variable: String,
    },
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] vigc_core::Error),
    /// No other request would succeed. Replies are in the journal, and another run makes the rest of the requests.
    #[error("stopped with {done} of {total} requests done")]
    Stopped {
        /// The number of requests that ended.
        done: usize,
        /// The number of all requests. Equal ones count once.
        total: usize,
        /// The cause.
        #[source]
        source: Box<Problem>,
    },
}

/// Why a request has no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no connection.
    #[error("the endpoint cannot be reached; check the address, and whether the server is running")]
    Unreachable(#[source] io::Error),
    /// The connection broke, or nothing arrived for too long.
    #[error("the connection broke or stalled")]
    Broken(#[source] io::Error),
    /// The endpoint refused or failed.
    #[error("the endpoint answers {status}: {message}{}", hint(*.status, *.is_quota))]
    Status {
        /// The status of the answer.
        status: u16,
        /// The endpoint's message.
        message: String,
        /// Whether the account's quota is used up.
        is_quota: bool,
        /// How long to wait, if the endpoint says so.
        retry_after: Option<Duration>,
        /// The complete answer.
        raw: String,
    },
    /// The answer is not a valid reply.
    #[error("the endpoint's answer {reason}")]
    InvalidReply {
        /// What is wrong with it.
        reason: String,
        /// The complete answer.
        raw: String,
    },
}

/// Whether a request can succeed after a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another attempt may succeed. If none does, no other request will.
    RetryOrStop,
    /// Another attempt may succeed.
    Retry,
    /// Another attempt may succeed, but may cost money.
    RetryAFewTimes,
    /// This request will not succeed.
    Fail,
    /// No request will succeed.
    Stop,
}

impl Problem {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Unreachable(_) => Verdict::RetryOrStop,
            Self::Broken(_) => Verdict::Retry,
            Self::InvalidReply { .. } => Verdict::RetryAFewTimes,
            Self::Status { is_quota: true, .. } => Verdict::Stop,
            Self::Status { retry_after: Some(wait), .. } if *wait > LONGEST_WAIT => Verdict::Stop,
            Self::Status { status, .. } => match status {
                408 | 409 | 429 | 500.. => Verdict::Retry,
                300..=399 | 401..=404 => Verdict::Stop,
                _ => Verdict::Fail,
            },
        }
    }

    /// How long the endpoint wants no requests.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn raw(&self) -> Option<&str> {
        match self {
            Self::Status { raw, .. } | Self::InvalidReply { raw, .. } => Some(raw),
            Self::Unreachable(_) | Self::Broken(_) => None,
        }
    }

    /// The problem with its cause, for the journal.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Unreachable(cause) | Self::Broken(cause) => format!("{self}: {cause}"),
            Self::Status { .. } | Self::InvalidReply { .. } => self.to_string(),
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

/// What the user can check.
fn hint(status: u16, is_quota: bool) -> &'static str {
    match status {
        402 => "; check the quota of the account",
        _ if is_quota => "; check the quota of the account",
        300..=399 => "; the address redirects, use the one that it redirects to",
        400 | 413 | 422 => "; check the limits of the model, and which parameters it accepts",
        401 => "; check the key",
        403 => "; check the permissions of the key",
        404 => "; check the address, which usually ends in /v1, and the name of the model",
        429 => "; a limit of requests per minute may help",
        _ => "",
    }
}

/// What is done about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The request is repeated after a wait.
    Retry(Duration),
    /// The request has failed.
    Fail,
    /// All other requests would fail as well.
    Stop,
}

/// The attempts at one request.
#[derive(Debug)]
pub(super) struct Attempts {
    state: RetryState,
    invalid: u32,
}

impl Attempts {
    pub(super) fn new(state: RetryState) -> Self {
        Self { state, invalid: 0 }
    }

    /// Decides what is done about a problem.
    pub(super) fn fail(&mut self, problem: &Problem) -> Reaction {
        let verdict = problem.verdict();
        let wait = self.state.fail(problem.retry_after());
        self.invalid += u32::from(verdict == Verdict::RetryAFewTimes);
        match (verdict, wait.filter(|_| self.invalid < INVALID_REPLIES)) {
            (Verdict::Stop, _) | (Verdict::RetryOrStop, None) => Reaction::Stop,
            (Verdict::Fail, _) | (_, None) => Reaction::Fail,
            (_, Some(wait)) => Reaction::Retry(wait),
        }
    }

    /// The number of failed attempts.
    pub(super) fn failed(&self) -> u32 {
        self.state.failed()
    }
}

#[cfg(test)]
mod tests {
    use vigc_core::retry::RetryPolicy;

    use super::*;

    fn status(status: u16, is_quota: bool, seconds: Option<u64>) -> Problem {
        let (message, raw) = ("no".to_owned(), String::new());
        let retry_after = seconds.map(Duration::from_secs);
        Problem::Status { status, message, is_quota, retry_after, raw }
    }

    #[test]
    fn only_temporary_problems_are_retried() {
        for code in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert_eq!(status(code, false, Some(1)).verdict(), Verdict::Retry, "{code}");
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

    /// The number of attempts until the request fails, and what is done then.
    fn run(attempts: u32, problem: &Problem) -> (u32, Reaction) {
        let mut attempts = Attempts::new(RetryPolicy::new(attempts, Duration::ZERO).start());
        loop {
            match attempts.fail(problem) {
                Reaction::Retry(_) => {}
                reaction => return (attempts.failed(), reaction),
            }
        }
    }

    #[test]
    fn attempts_are_counted() {
        assert_eq!(run(5, &status(503, false, None)), (5, Reaction::Fail));
        assert_eq!(run(5, &status(400, false, None)), (1, Reaction::Fail));
        assert_eq!(run(5, &status(401, false, None)), (1, Reaction::Stop));
        assert_eq!(run(0, &status(503, false, None)), (1, Reaction::Fail));
        let refused = || io::ErrorKind::ConnectionRefused.into();
        assert_eq!(run(5, &Problem::Unreachable(refused())), (5, Reaction::Stop));
        assert_eq!(run(5, &Problem::Broken(refused())), (5, Reaction::Fail));
        let invalid = Problem::InvalidReply { reason: String::new(), raw: String::new() };
        assert_eq!(run(5, &invalid), (3, Reaction::Fail));
        assert_eq!(run(2, &invalid), (2, Reaction::Fail));
    }

    #[test]
    fn a_wait_is_as_long_as_the_endpoint_asks() {
        let mut attempts = Attempts::new(RetryPolicy::default().start());
        let reaction = attempts.fail(&status(429, false, Some(100)));
        assert_eq!(reaction, Reaction::Retry(Duration::from_secs(100)));
    }
}
