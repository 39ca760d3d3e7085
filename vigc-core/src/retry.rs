//! When a failed request is repeated: exponential backoff with jitter, and `Retry-After`.
//!
//! ```
//! use std::time::Duration;
//! use vigc_core::retry::RetryPolicy;
//!
//! let mut attempts = RetryPolicy::new(3, Duration::from_millis(1)).start();
//! let mut answers = [Err("503"), Err("503"), Ok("200")].into_iter();
//! let answer = loop {
//!     match answers.next().unwrap() {
//!         Ok(answer) => break Ok(answer),
//!         Err(error) => match attempts.fail(None) {
//!             Some(wait) => std::thread::sleep(wait),
//!             None => break Err(error),
//!         },
//!     }
//! };
//! assert_eq!(answer, Ok("200"));
//! ```

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The longest wait that the policy chooses by itself.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The longest wait that a server may ask for. A request that would have to wait longer is given up.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// How often a request is attempted, and how long the waits between the attempts are.
///
/// Each wait is twice as long as the one before, up to a minute. A random part of up to a half is taken off, so that
/// clients that failed together do not return together. If the server asks for a longer wait, the wait is that long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    delay: Duration,
}

impl RetryPolicy {
    /// A policy of so many attempts, at least one, and the wait before the second one.
    #[must_use]
    pub const fn new(attempts: u32, delay: Duration) -> Self {
        Self { attempts, delay }
    }

    /// Starts to count the attempts of one request.
    #[must_use]
    pub fn start(self) -> RetryState {
        let seed = RandomState::new().hash_one(());
        let rng = ChaCha8Rng::seed_from_u64(seed);
        RetryState { policy: self, delay: self.delay, failed: 0, rng }
    }
}

impl Default for RetryPolicy {
    /// Five attempts, the second one after about a second.
    fn default() -> Self {
        Self::new(5, Duration::from_secs(1))
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub struct RetryState {
    policy: RetryPolicy,
    delay: Duration,
    failed: u32,
    rng: ChaCha8Rng,
}

impl RetryState {
    /// Counts a failed attempt. Returns the wait before the next one, or `None` if the request has failed for good: there are no
    /// attempts left, or the server asks for a wait of more than ten minutes.
    ///
    /// `retry_after` is the wait that the server asks for; see [`parse_retry_after`].
    pub fn fail(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.failed += 1;
        let asked = retry_after.unwrap_or_default();
        if self.failed >= self.policy.attempts || asked > MAX_RETRY_AFTER {
            return None;
        }
        let jitter = 1.0 - 0.5 * f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        let wait = self.delay.min(MAX_DELAY).mul_f64(jitter);
        self.delay = self.delay.saturating_mul(2);
        Some(wait.max(asked))
    }

    /// The number of failed attempts.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Starts anew, after an attempt that made progress.
    pub fn reset(&mut self) {
        (self.failed, self.delay) = (0, self.policy.delay);
    }
}

/// The wait that the HTTP header `Retry-After` asks for: a number of seconds, or the time until a date.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted() {
        for attempts in [0, 1, 2, 5] {
            let mut state = RetryPolicy::new(attempts, Duration::ZERO).start();
            let waits = std::iter::from_fn(|| state.fail(None)).count();
            assert_eq!(waits as u32, attempts.saturating_sub(1));
            assert_eq!(state.failed(), attempts.max(1));
            state.reset();
            assert_eq!((state.failed(), state.fail(None).is_some()), (0, attempts > 1));
        }
    }

    #[test]
    fn waits_double_up_to_a_minute_and_are_as_long_as_asked() {
        let mut state = RetryPolicy::new(20, Duration::from_secs(1)).start();
        for whole in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let wait = state.fail(None).unwrap().as_secs_f64();
            assert!((whole / 2.0..=whole).contains(&wait), "{wait} of {whole}");
        }
        let seconds = Duration::from_secs;
        assert_eq!(state.fail(Some(seconds(100))), Some(seconds(100)));
        assert!(state.fail(Some(seconds(1))).unwrap() > seconds(1));
        assert_eq!(state.fail(Some(seconds(601))), None);
        let first = || RetryPolicy::default().start().fail(None).unwrap();
        assert_ne!([first(), first()], [first(), first()]);
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let cases = [
            ("120", Some(120.0)),
            (" 0.5 ", Some(0.5)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30.0)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0.0)),
            ("-1", None),
            ("nan", None),
            ("soon", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let expected = expected.map(Duration::from_secs_f64);
            assert_eq!(parse_retry_after(value, now), expected, "{value:?}");
        }
    }
}
