//! Making requests, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use vigc_core::retry::RetryPolicy;

use super::endpoint::{Client, Endpoint};
use super::journal::Journal;
use super::problem::{Attempts, JudgeError, Problem, Reaction};
use super::reply::{Failure, Outcome};
use super::request::{Job, Jobs, Message, Parameters, Request};

/// The default number of requests that are open at a time.
const THREADS: usize = 4;

/// A request that ended, and how far the run is.
#[derive(Debug, Clone, Copy)]
pub struct EndedRequest<'a> {
    /// The id of the request.
    pub id: &'a str,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// Whether an earlier run got the reply.
    pub is_recorded: bool,
    /// The number of requests that ended, including this one. Equal ones count once.
    pub done: usize,
    /// The number of all requests. Equal ones count once.
    pub total: usize,
}

/// A language model that is asked over HTTP, with the settings of all requests.
#[derive(Debug)]
pub struct Judge {
    client: Client,
    parameters: Parameters,
    retries: RetryPolicy,
    requests_per_minute: Option<u32>,
    threads: usize,
}

impl Judge {
    /// A judge with four open requests at a time and no limit per minute.
    ///
    /// A failed request is attempted eight times within about two minutes.
    #[must_use]
    pub fn new(endpoint: Endpoint, parameters: Parameters) -> Self {
        let client = Client::new(endpoint);
        let retries = RetryPolicy::new(8, Duration::from_secs(1));
        Self { client, parameters, retries, requests_per_minute: None, threads: THREADS }
    }

    /// Limits the requests per minute, retries included. They are evenly spaced.
    #[must_use]
    pub fn with_requests_per_minute(self, requests: u32) -> Self {
        Self { requests_per_minute: Some(requests.max(1)), ..self }
    }

    /// Sets the number of requests that are open at a time, at least one.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Sets how often failed requests are repeated.
    #[must_use]
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        Self { retries, ..self }
    }

    /// The parameters of all requests.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

impl Judge {
    /// Makes all requests to which the journal has no reply, equal ones once, and returns the outcomes in the order of the
    /// requests. `progress` is told about each request as it ends. Those on record come first.
    ///
    /// # Errors
    ///
    /// [`JudgeError::Stopped`] if no request can succeed: the key, the address or the model is wrong, the account's quota
    /// is used up, or the endpoint cannot be reached or asks for a wait of more than ten minutes.
    /// [`JudgeError::Journal`] if the journal cannot be written. In both cases, open requests are finished first, and all
    /// replies are on record.
    pub fn ask(
        &self,
        requests: &[Request],
        journal: &mut Journal,
        progress: &mut dyn FnMut(EndedRequest<'_>),
    ) -> Result<Vec<Outcome>, JudgeError> {
        let jobs = Jobs::new(requests, &self.parameters);
        let mut run = Run::new(&jobs.list, progress);
        let pending = run.recall(journal);
        let queue = Queue {
            judge: self,
            jobs: &jobs.list,
            pending: &pending,
            next: AtomicUsize::new(0),
            pace: Pace::new(self.requests_per_minute),
            journal: Mutex::new(journal),
        };
        queue.run(&mut run)?;
        // If the run was not stopped, every job has ended.
        Ok(jobs.places.iter().filter_map(|&place| run.outcomes[place].clone()).collect())
    }
}

/// Characters of a token: about four in English.
const CHARACTERS: usize = 4;

/// A rough estimate of the tokens of some requests, from the number of characters. Languages other than English take more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenEstimate {
    /// The number of requests.
    pub requests: usize,
    /// The tokens of their messages, at four characters each.
    pub prompt_tokens: usize,
    /// The most tokens of the replies, if their length is limited.
    pub most_reply_tokens: Option<usize>,
}

impl Judge {
    /// The requests that a run would make now: those to which the journal has no reply, equal ones once.
    #[must_use]
    pub fn pending<'a>(&self, requests: &'a [Request], journal: &Journal) -> Vec<&'a Request> {
        let jobs = Jobs::new(requests, &self.parameters).list.into_iter();
        let pending = jobs.filter(|job| journal.reply(job.fingerprint).is_none());
        pending.map(|job| job.request).collect()
    }

    /// Estimates the tokens of requests.
    #[must_use]
    pub fn estimate(&self, requests: &[&Request]) -> TokenEstimate {
        let length = |message: &Message| message.content.chars().count();
        let tokens = |request: &&Request| {
            request.messages.iter().map(length).sum::<usize>().div_ceil(CHARACTERS)
        };
        let most = self.parameters.max_tokens.map(|most| most as usize * requests.len());
        TokenEstimate {
            requests: requests.len(),
            prompt_tokens: requests.iter().map(tokens).sum(),
            most_reply_tokens: most,
        }
    }
}

/// What the caller has been told so far.
struct Run<'a> {
    jobs: &'a [Job<'a>],
    outcomes: Vec<Option<Outcome>>,
    done: usize,
    progress: &'a mut dyn FnMut(EndedRequest<'_>),
}

impl<'a> Run<'a> {
    fn new(jobs: &'a [Job<'a>], progress: &'a mut dyn FnMut(EndedRequest<'_>)) -> Self {
        Self { jobs, outcomes: vec![None; jobs.len()], done: 0, progress }
    }

    /// Ends the requests to which the journal has a reply, and returns the others.
    fn recall(&mut self, journal: &Journal) -> Vec<usize> {
        let mut pending = Vec::new();
        for (place, job) in self.jobs.iter().enumerate() {
            match journal.reply(job.fingerprint) {
                Some(reply) => self.end(place, Outcome::Reply(reply.clone()), true),
                None => pending.push(place),
            }
        }
        pending
    }

    fn end(&mut self, place: usize, outcome: Outcome, is_recorded: bool) {
        self.done += 1;
        let (id, outcome) = (&self.jobs[place].request.id, &*self.outcomes[place].insert(outcome));
        let (done, total) = (self.done, self.jobs.len());
        (self.progress)(EndedRequest { id, outcome, is_recorded, done, total });
    }
}

/// The remaining requests, and what the threads share.
struct Queue<'a> {
    judge: &'a Judge,
    jobs: &'a [Job<'a>],
    pending: &'a [usize],
    next: AtomicUsize,
    pace: Pace,
    journal: Mutex<&'a mut Journal>,
}

/// A message of a thread.
enum Event {
    Ended(usize, Outcome),
    Stopped(Problem),
    Journal(vigc_core::Error),
}

/// Stops all threads when the caller is gone, also by a panic.
struct StopAtEnd<'a>(&'a Pace);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Queue<'_> {
    fn run(&self, run: &mut Run<'_>) -> Result<(), JudgeError> {
        thread::scope(|scope| {
            let _stop = StopAtEnd(&self.pace);
            let (sender, events) = channel();
            for _ in 0..self.judge.threads.min(self.pending.len()) {
                let sender = sender.clone();
                scope.spawn(move || self.work(&sender));
            }
            drop(sender);
            self.listen(&events, run)
        })
    }

    fn listen(&self, events: &Receiver<Event>, run: &mut Run<'_>) -> Result<(), JudgeError> {
        let (mut problem, mut unwritten) = (None, None);
        for event in events {
            match event {
                Event::Ended(place, outcome) => run.end(place, outcome, false),
                Event::Stopped(source) => problem = problem.or(Some(source)),
                Event::Journal(error) => unwritten = unwritten.or(Some(error)),
            }
        }
        let (done, total) = (run.done, self.jobs.len());
        match (unwritten, problem) {
            (Some(error), _) => Err(error.into()),
            (None, Some(source)) => {
                Err(JudgeError::Stopped { done, total, source: Box::new(source) })
            }
            (None, None) => Ok(()),
        }
    }

    fn work(&self, events: &Sender<Event>) {
        while let Some(&place) = self.pending.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let event = match self.settle(&self.jobs[place]) {
                Ok(outcome) => self.record(place, outcome),
                Err(None) => return,
                Err(Some(problem)) => Event::Stopped(problem),
            };
            if !matches!(event, Event::Ended(..)) {
                self.pace.stop();
            }
            // The receiver is gone only if the caller panicked.
            drop(events.send(event));
        }
    }

    fn record(&self, place: usize, outcome: Outcome) -> Event {
        let Job { request, fingerprint, .. } = &self.jobs[place];
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        match journal.append(*fingerprint, &request.id, &outcome) {
            Ok(()) => Event::Ended(place, outcome),
            Err(error) => Event::Journal(error),
        }
    }

    /// Repeats a request until there is a reply or it has failed. The error is none if the run ends meanwhile.
    fn settle(&self, job: &Job<'_>) -> Result<Outcome, Option<Problem>> {
        let mut attempts = Attempts::new(self.judge.retries.start());
        loop {
            if self.pace.turn() == Turn::Stop {
                return Err(None);
            }
            let problem = match self.judge.client.exchange(&job.body) {
                Ok(reply) => return Ok(Outcome::Reply(reply)),
                Err(problem) => problem,
            };
            match attempts.fail(&problem) {
                Reaction::Retry(wait) => {
                    let (id, seconds) = (&job.request.id, wait.as_secs_f32());
                    tracing::warn!("{id}: {}; next attempt in {seconds:.1} s", problem.to_text());
                    self.pace.hold(problem.retry_after().unwrap_or_default());
                    if self.pace.pause(wait) == Turn::Stop {
                        return Err(None);
                    }
                }
                Reaction::Fail => {
                    return Ok(Outcome::Failure(Failure {
                        problem: problem.to_text(),
                        raw: problem.raw().map(str::to_owned),
                        attempts: attempts.failed(),
                    }));
                }
                Reaction::Stop => return Err(Some(problem)),
            }
        }
    }
}

/// Spaces the requests of all threads, holds them if the endpoint asks for it, and ends them.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug)]
struct State {
    next: Instant,
    is_stopped: bool,
}

/// Whether a thread continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Go,
    Stop,
}

impl Pace {
    fn new(requests_per_minute: Option<u32>) -> Self {
        let interval = requests_per_minute.map(|count| Duration::from_secs(60) / count);
        Self {
            interval: interval.unwrap_or_default(),
            state: Mutex::new(State { next: Instant::now(), is_stopped: false }),
            stopped: Condvar::new(),
        }
    }

    /// Waits until a request may start.
    fn turn(&self) -> Turn {
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

    /// Waits for a time.
    fn pause(&self, duration: Duration) -> Turn {
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

    /// Lets no request start for a time.
    fn hold(&self, duration: Duration) {
        let mut state = self.state();
        state.next = state.next.max(Instant::now() + duration);
    }

    /// Ends all waits. No request starts afterwards.
    fn stop(&self) {
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
    fn a_stop_ends_all_waits() {
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
