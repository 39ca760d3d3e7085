//! When the next request may begin.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the threads of a run wait at: their turn, what the endpoint asks all of them to wait for, and the end.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug)]
struct State {
    next: Instant,
    is_stopped: bool,
}

/// Whether a thread goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Go,
    Stop,
}

impl Pace {
    pub(super) fn new(requests_per_minute: Option<u32>) -> Self {
        let interval = requests_per_minute.map(|count| Duration::from_secs(60) / count);
        Self {
            interval: interval.unwrap_or_default(),
            state: Mutex::new(State { next: Instant::now(), is_stopped: false }),
            stopped: Condvar::new(),
        }
    }

    /// Waits until a request may begin.
    pub(super) fn turn(&self) -> Turn {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            if state.is_stopped {
                return Turn::Stop;
            }
            if state.next <= now {
                state.next = now + self.interval;
                return Turn::Go;
            }
            let wait = state.next - now;
            state = self.wait(state, wait);
        }
    }

    /// Waits that long.
    pub(super) fn pause(&self, duration: Duration) -> Turn {
        let until = Instant::now() + duration;
        let mut state = self.state();
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if state.is_stopped {
                return Turn::Stop;
            }
            if rest.is_zero() {
                return Turn::Go;
            }
            state = self.wait(state, rest);
        }
    }

    /// Lets no request begin for that long.
    pub(super) fn hold(&self, duration: Duration) {
        let mut state = self.state();
        state.next = state.next.max(Instant::now() + duration);
    }

    /// Ends all waiting; no request begins any more.
    pub(super) fn stop(&self) {
        self.state().is_stopped = true;
        self.stopped.notify_all();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, wait: Duration) -> MutexGuard<'a, State> {
        let waited = self.stopped.wait_timeout(state, wait);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn turns_are_spaced_and_held() {
        let pace = Pace::new(Some(6000));
        let start = Instant::now();
        for _ in 0..4 {
            assert_eq!(pace.turn(), Turn::Go);
        }
        assert!(start.elapsed() >= Duration::from_millis(30), "{:?}", start.elapsed());
        pace.hold(Duration::from_millis(40));
        pace.hold(Duration::from_millis(1));
        assert_eq!(pace.turn(), Turn::Go);
        assert!(start.elapsed() >= Duration::from_millis(70), "{:?}", start.elapsed());
    }

    #[test]
    fn whoever_waits_hears_of_the_end() {
        let pace = Pace::new(None);
        pace.hold(Duration::from_secs(600));
        let ends = thread::scope(|scope| {
            let waiting =
                [scope.spawn(|| pace.turn()), scope.spawn(|| pace.pause(Duration::from_secs(600)))];
            pace.stop();
            waiting.map(|thread| thread.join().unwrap())
        });
        assert_eq!(ends, [Turn::Stop, Turn::Stop]);
        assert_eq!(pace.turn(), Turn::Stop);
    }
}
