//! How often something is asked.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::problem::Verdict;
use super::request::Fingerprint;
use super::{Failure, Problem};

const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// How often a reply that makes no sense is asked for: it may be paid for each time.
const NONSENSE_ATTEMPTS: u32 = 3;

/// How often a request is made when connections break or the endpoint is busy, and how long is waited before
/// the second time. Each further wait is twice as long and at most a minute, but as long as the endpoint says.
/// Of each wait, a part of up to a half is left out by chance, so that requests do not come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    attempts: u32,
    delay: Duration,
}

impl Default for Retries {
    /// Eight attempts, from a second on: about two minutes.
    fn default() -> Self {
        Self::new(8, Duration::from_secs(1))
    }
}

impl Retries {
    /// So many attempts, at least one.
    #[must_use]
    pub const fn new(attempts: u32, delay: Duration) -> Self {
        Self { attempts, delay }
    }

    pub(super) fn begin(self, fingerprint: Fingerprint) -> Patience {
        Patience {
            retries: self,
            delay: self.delay,
            attempts: 0,
            nonsense: 0,
            rng: ChaCha8Rng::from_seed(fingerprint.0),
        }
    }
}

/// What is left of the attempts at one request.
#[derive(Debug)]
pub(super) struct Patience {
    retries: Retries,
    delay: Duration,
    /// Attempts that failed.
    attempts: u32,
    nonsense: u32,
    rng: ChaCha8Rng,
}

/// What is done about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another attempt, after a while.
    Again(Duration),
    /// The request has failed.
    Fail,
    /// So would all others.
    Stop,
}

impl Patience {
    pub(super) fn after(&mut self, problem: &Problem) -> Next {
        let verdict = problem.verdict();
        self.attempts += 1;
        self.nonsense += u32::from(verdict == Verdict::AgainAFewTimes);
        let is_last = self.attempts >= self.retries.attempts || self.nonsense >= NONSENSE_ATTEMPTS;
        match verdict {
            Verdict::Stop => Next::Stop,
            Verdict::AgainOrStop if is_last => Next::Stop,
            Verdict::Fail => Next::Fail,
            _ if is_last => Next::Fail,
            Verdict::AgainOrStop | Verdict::Again | Verdict::AgainAFewTimes => {
                Next::Again(self.wait().max(problem.asked_wait().unwrap_or_default()))
            }
        }
    }

    /// What there is to say in the end.
    pub(super) fn failure(&self, problem: &Problem) -> Failure {
        let raw = problem.raw().map(str::to_owned);
        Failure { problem: problem.to_text(), raw, attempts: self.attempts }
    }

    fn wait(&mut self) -> Duration {
        let wait = self.delay.min(LONGEST_DELAY).mul_f64(self.rng.random_range(0.5..=1.0));
        self.delay = self.delay.saturating_mul(2);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, seconds: Option<u64>) -> Problem {
        let (message, raw) = (String::new(), String::new());
        let retry_after = seconds.map(Duration::from_secs);
        Problem::Status { status, message, is_quota: false, retry_after, raw }
    }

    fn run(attempts: u32, problem: &Problem) -> (u32, Next) {
        let mut patience = Retries::new(attempts, Duration::ZERO).begin(Fingerprint::new(b"", 0));
        loop {
            match patience.after(problem) {
                Next::Again(_) => {}
                next => return (patience.attempts, next),
            }
        }
    }

    #[test]
    fn attempts_are_counted() {
        assert_eq!(run(5, &status(503, None)), (5, Next::Fail));
        assert_eq!(run(5, &status(400, None)), (1, Next::Fail));
        assert_eq!(run(5, &status(401, None)), (1, Next::Stop));
        assert_eq!(run(0, &status(503, None)), (1, Next::Fail));
        let refused = || std::io::ErrorKind::ConnectionRefused.into();
        assert_eq!(run(5, &Problem::Unreachable(refused())), (5, Next::Stop));
        assert_eq!(run(5, &Problem::Broken(refused())), (5, Next::Fail));
        let nonsense = Problem::Nonsense { is: String::new(), raw: String::new() };
        assert_eq!(run(5, &nonsense), (3, Next::Fail));
        assert_eq!(run(2, &nonsense), (2, Next::Fail));
    }

    #[test]
    fn waits_double_up_to_a_minute_and_are_as_long_as_asked() {
        let mut patience = Retries::new(20, Duration::from_secs(1)).begin(Fingerprint([7; 32]));
        for whole in [1, 2, 4, 8, 16, 32, 60, 60] {
            let Next::Again(wait) = patience.after(&status(500, None)) else { panic!() };
            let whole = f64::from(whole);
            assert!((whole / 2.0..=whole).contains(&wait.as_secs_f64()), "{wait:?} of {whole}");
        }
        let asked = patience.after(&status(429, Some(100)));
        assert_eq!(asked, Next::Again(Duration::from_secs(100)));
        let first = |seed| Retries::default().begin(Fingerprint([seed; 32])).wait();
        assert_ne!(first(1), first(2));
    }
}
