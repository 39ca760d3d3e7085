//! Requests on their way, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::job::{Job, Jobs};
use super::pace::{Pace, Turn};
use super::retries::Next;
use super::{Journal, Judge, JudgeError, Outcome, Problem, Progress, Request};

impl Judge {
    /// Asks everything that the journal has no reply to, equal requests once, and gives the outcomes in the
    /// order of the requests. They are made known one by one, those on record first.
    ///
    /// # Errors
    ///
    /// [`JudgeError::Stopped`] if no request can succeed: the key, the address or the model is wrong, the
    /// account has nothing left, the endpoint cannot be reached or wants to be left alone for more than ten
    /// minutes. [`JudgeError::Journal`] if the journal cannot be written. Either way the requests that are
    /// open are waited for, and what was answered is on record.
    pub fn ask(
        &self,
        requests: &[Request],
        journal: &mut Journal,
        progress: &mut dyn FnMut(Progress<'_>),
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
        // A run that was not stopped has ended every job.
        Ok(jobs.places.iter().filter_map(|&place| run.outcomes[place].clone()).collect())
    }
}

/// What the caller has heard so far.
struct Run<'a> {
    jobs: &'a [Job<'a>],
    outcomes: Vec<Option<Outcome>>,
    done: usize,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl<'a> Run<'a> {
    fn new(jobs: &'a [Job<'a>], progress: &'a mut dyn FnMut(Progress<'_>)) -> Self {
        Self { jobs, outcomes: vec![None; jobs.len()], done: 0, progress }
    }

    /// Ends what the journal has replies to, and gives the rest.
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
        (self.progress)(Progress { id, outcome, is_recorded, done, total });
    }
}

/// The requests that are left, and what the threads share.
struct Queue<'a> {
    judge: &'a Judge,
    jobs: &'a [Job<'a>],
    pending: &'a [usize],
    next: AtomicUsize,
    pace: Pace,
    journal: Mutex<&'a mut Journal>,
}

/// What a thread has to tell.
enum Event {
    Ended(usize, Outcome),
    Stopped(Problem),
    Journal(vigc_pipeline::Error),
}

/// Lets no thread begin another request once the caller is gone, by a panic as well.
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
            // Nobody listens any more only if the caller panicked.
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

    /// Asks until there is a reply, or no hope of one. None if the run ends meanwhile.
    fn settle(&self, job: &Job<'_>) -> Result<Outcome, Option<Problem>> {
        let mut patience = self.judge.retries.begin(job.fingerprint);
        loop {
            if self.pace.turn() == Turn::Stop {
                return Err(None);
            }
            let problem = match self.judge.client.exchange(&job.body) {
                Ok(reply) => return Ok(Outcome::Reply(reply)),
                Err(problem) => problem,
            };
            match patience.after(&problem) {
                Next::Again(wait) => {
                    let (id, seconds) = (&job.request.id, wait.as_secs_f32());
                    tracing::warn!("{id}: {}; again in {seconds:.1} s", problem.to_text());
                    self.pace.hold(problem.asked_wait().unwrap_or_default());
                    if self.pace.pause(wait) == Turn::Stop {
                        return Err(None);
                    }
                }
                Next::Fail => return Ok(Outcome::Failure(patience.failure(&problem))),
                Next::Stop => return Err(Some(problem)),
            }
        }
    }
}
