//! Samples at different steps in shared batches.

mod look_ahead;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use vigc_llm::generation::{Generated, GenerationConfig};
use vigc_vision::image::ImageLimits;

use self::look_ahead::LookAhead;
use super::image_source::ImageInput;
use super::sample::SkippedImage;
use crate::error_text;
use crate::visual_lm::{Request, VisualLm};
use crate::{Error, Result};

/// A sample in the making: prompts out, texts in.
pub(super) trait Job {
    /// What it becomes.
    type Output;

    /// What the model is to be asked next, if anything.
    fn next(&self) -> Option<Request<'_, ()>>;

    /// Which of the scheduler's decoding settings the next text is generated with.
    fn decoding(&self) -> usize {
        0
    }

    /// Takes the model's texts for it, best first.
    fn accept(&mut self, texts: &[Generated]);

    /// The finished sample; called when there is nothing more to ask.
    fn finish(self) -> Self::Output;
}

/// A finished job, or an image that could not be opened.
#[derive(Debug)]
pub(super) enum Event<T> {
    Done(T),
    Skipped(SkippedImage),
}

/// Runs jobs in batches, in which finished ones are replaced at once, and yields their results in
/// the order of the images.
pub(super) struct Scheduler<'a, M: VisualLm + ?Sized, I, F, J: Job> {
    pub(super) model: &'a M,
    pub(super) decodings: Vec<GenerationConfig>,
    pub(super) limits: ImageLimits,
    pub(super) batch: usize,
    pub(super) images: I,
    /// The jobs of an image; none if it is not to be opened.
    pub(super) jobs: F,
    pub(super) state: State<M::Image, J>,
}

/// What a scheduler keeps between results.
pub(super) struct State<Image, J: Job> {
    waiting: VecDeque<Running<Image, J>>,
    running: Vec<Running<Image, J>>,
    ahead: LookAhead<J>,
    /// Results that wait for those of earlier images.
    ready: BTreeMap<u64, Event<J::Output>>,
    numbered: u64,
    yielded: u64,
    is_over: bool,
}

struct Running<Image, J> {
    number: u64,
    image: Arc<Image>,
    job: J,
}

impl<Image, J: Job> Default for State<Image, J> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            running: Vec::new(),
            ahead: LookAhead::default(),
            ready: BTreeMap::new(),
            numbered: 0,
            yielded: 0,
            is_over: false,
        }
    }
}

impl<Image, J: Job> State<Image, J> {
    fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered - 1
    }
}

impl<M, I, F, J> Iterator for Scheduler<'_, M, I, F, J>
where
    M: VisualLm + ?Sized,
    I: Iterator<Item = ImageInput>,
    F: FnMut(&ImageInput) -> Vec<J>,
    J: Job,
{
    type Item = Result<Event<J::Output>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.state.ready.remove(&self.state.yielded) {
                self.state.yielded += 1;
                return Some(Ok(event));
            }
            if self.state.is_over {
                return None;
            }
            if let Err(error) = self.fill().and_then(|()| self.advance()) {
                self.state.is_over = true;
                return Some(Err(error));
            }
            self.state.is_over = self.state.running.is_empty() && self.state.ready.is_empty();
        }
    }
}

impl<M, I, F, J> Scheduler<'_, M, I, F, J>
where
    M: VisualLm + ?Sized,
    I: Iterator<Item = ImageInput>,
    F: FnMut(&ImageInput) -> Vec<J>,
    J: Job,
{
    /// Fills the batch with new jobs.
    fn fill(&mut self) -> Result<()> {
        loop {
            while self.state.running.len() < self.batch.max(1) {
                let Some(job) = self.state.waiting.pop_front() else { break };
                self.state.running.push(job);
            }
            if self.state.running.len() >= self.batch.max(1) || !self.admit_images()? {
                return Ok(());
            }
        }
    }

    /// Opens and encodes as many images as the batch has room for; false if there is none left.
    fn admit_images(&mut self) -> Result<bool> {
        let room = self.batch.max(1) - self.state.running.len();
        let (mut pixels, mut owners) = (Vec::new(), Vec::new());
        let mut jobs = 0;
        while jobs < room {
            self.look_ahead();
            let Some(opened) = self.state.ahead.next() else { break };
            jobs += opened.jobs.len();
            match opened.pixels {
                Ok(image) => {
                    pixels.push(image);
                    let numbered = opened.jobs.into_iter().map(|job| (self.state.number(), job));
                    owners.push(numbered.collect::<Vec<_>>());
                }
                Err(error) => {
                    let number = self.state.number();
                    let skipped = Event::Skipped(skip(&opened.input, &error));
                    self.state.ready.insert(number, skipped);
                }
            }
        }
        // The next ones are opened while the model works.
        self.look_ahead();
        if !pixels.is_empty() {
            let images = self.model.encode(&pixels)?;
            check_count("images", pixels.len(), images.len())?;
            for (image, numbered) in images.into_iter().map(Arc::new).zip(owners) {
                let running = |(number, job)| Running { number, image: image.clone(), job };
                self.state.waiting.extend(numbered.into_iter().map(running));
            }
        }
        Ok(jobs > 0)
    }

    /// Has images opened for a batch of jobs, so that no more than twice as many are in memory.
    fn look_ahead(&mut self) {
        if !self.state.ahead.has_room(self.batch.max(1)) {
            return;
        }
        let mut asked = Vec::new();
        let mut jobs = 0;
        while jobs < self.batch.max(1)
            && let Some(input) = self.images.next()
        {
            let of_image = (self.jobs)(&input);
            jobs += of_image.len();
            if !of_image.is_empty() {
                asked.push((input, of_image));
            }
        }
        self.state.ahead.begin(asked, &self.limits);
    }

    /// Asks the model once for every running job, and takes out those that are finished.
    fn advance(&mut self) -> Result<()> {
        for decoding in 0..self.decodings.len() {
            let asks = |running: &Running<M::Image, J>| {
                running.job.next().is_some() && running.job.decoding() == decoding
            };
            let asking = self.state.running.iter().map(asks).collect::<Vec<_>>();
            if asking.contains(&true) {
                self.ask(decoding, &asking)?;
            }
        }
        for Running { number, image, job } in std::mem::take(&mut self.state.running) {
            if job.next().is_some() {
                self.state.running.push(Running { number, image, job });
            } else {
                self.state.ready.insert(number, Event::Done(job.finish()));
            }
        }
        Ok(())
    }

    fn ask(&mut self, decoding: usize, asking: &[bool]) -> Result<()> {
        let running = self.state.running.iter().zip(asking).filter(|(_, asks)| **asks);
        let requests = running
            .filter_map(|(running, _)| Some(running.job.next()?.with_image(&*running.image)));
        let requests = requests.collect::<Vec<_>>();
        let texts = self.model.generate(&requests, &self.decodings[decoding])?;
        check_count("requests", requests.len(), texts.len())?;
        let running = self.state.running.iter_mut().zip(asking).filter(|(_, asks)| **asks);
        for ((running, _), texts) in running.zip(texts) {
            check_count("texts of a request", 1, texts.len().min(1))?;
            running.job.accept(&texts);
        }
        Ok(())
    }
}

/// Checks that a model returned as many results as it was asked for.
///
/// # Errors
///
/// [`Error::ResultCount`] if it did not.
pub fn check_count(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::ResultCount { what, expected, found }) }
}

/// Names the image once: the errors of `vigc-vision` begin with the path.
pub(super) fn skip(input: &ImageInput, error: &vigc_vision::Error) -> SkippedImage {
    let image = input.name();
    let skipped = error_text(error, &image);
    SkippedImage { image, skipped }
}
