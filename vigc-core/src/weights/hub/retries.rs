//! How often something is tried.

use std::thread;
use std::time::Duration;

use super::Problem;

const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// How often a request is made when connections break or the server is busy, and how long is waited before the
/// second time. Each further wait is twice as long, or as long as the server says, and at most a minute.
///
/// What a download got further than ever before does not count as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    attempts: u32,
    delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self::new(5, Duration::from_secs(1))
    }
}

impl Retries {
    /// So many attempts, at least one.
    #[must_use]
    pub const fn new(attempts: u32, delay: Duration) -> Self {
        Self { attempts, delay }
    }

    pub(super) fn begin(self) -> Patience {
        Patience { left: self.attempts.saturating_sub(1), delay: self.delay }
    }

    /// Makes one request until it succeeds, fails for good or has failed too often.
    pub(super) fn run<T>(
        self,
        mut attempt: impl FnMut() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut patience = self.begin();
        loop {
            match attempt() {
                Err(problem) if patience.waits_after(&problem) => {}
                done => return done,
            }
        }
    }
}

/// What is left of the attempts.
#[derive(Debug)]
pub(super) struct Patience {
    left: u32,
    delay: Duration,
}

impl Patience {
    /// Waits if there is to be another attempt, and says whether there is.
    pub(super) fn waits_after(&mut self, problem: &Problem) -> bool {
        if self.left == 0 || !problem.is_transient() {
            return false;
        }
        let asked = match problem {
            Problem::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let delay = self.delay.max(asked).min(LONGEST_DELAY);
        tracing::warn!("{problem}; trying again in {:.1} s", delay.as_secs_f32());
        thread::sleep(delay);
        self.left -= 1;
        self.delay = self.delay.saturating_mul(2);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(problem: impl Fn() -> Problem) -> u32 {
        let mut count = 0;
        let failed: Result<(), _> = Retries::new(3, Duration::ZERO).run(|| {
            count += 1;
            Err(problem())
        });
        assert!(failed.is_err());
        count
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert_eq!(attempts(|| Problem::Status { status: 503, retry_after: None }), 3);
        assert_eq!(attempts(|| Problem::Status { status: 429, retry_after: None }), 3);
        assert_eq!(attempts(|| Problem::Connection(std::io::ErrorKind::TimedOut.into())), 3);
        assert_eq!(attempts(|| Problem::Status { status: 400, retry_after: None }), 1);
        assert_eq!(attempts(|| Problem::Denied { status: 401 }), 1);
    }
}
