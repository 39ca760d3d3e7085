//! Asking a model the questions of a suite.

use std::collections::HashMap;
use std::thread;

use image::RgbImage;
use serde::{Deserialize, Serialize};
use vigc_vision::image::ImageLimits;

use super::pictures::Opened;
use super::{AnswerJournal, Answers, AnswersError, Ask, Failure, How, Result};
use vigc_pipeline::vigc::rank::rank;
use vigc_pipeline::vigc::{Generated, GenerationConfig, Request, VisualLm, check_count, seed};

/// Questions that are asked together, unless said.
const BATCH: usize = 16;

/// Asks a model the questions of a suite, in batches.
///
/// An answer depends on its question and the settings, not on the batch it was asked in, unless decoding
/// follows the rules of transformers 4.28.1. Pictures are opened while the model works, and one that several questions
/// in a row are about is encoded once.
#[derive(Debug)]
pub struct Asker<'a, M: ?Sized> {
    model: &'a M,
    decoding: GenerationConfig,
    seed: u64,
    batch: usize,
    limits: ImageLimits,
}

/// What answers depend on besides the questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskerSettings {
    /// The model's name.
    pub model: String,
    /// How answers are written.
    pub decoding: GenerationConfig,
    /// The seed of what is drawn.
    pub seed: u64,
}

impl<'a, M: VisualLm + ?Sized> Asker<'a, M> {
    /// Asks with these settings, 16 questions at a time.
    #[must_use]
    pub fn new(model: &'a M, decoding: GenerationConfig) -> Self {
        Self { model, decoding, seed: 0, batch: BATCH, limits: ImageLimits::default() }
    }

    /// With another number of questions that are asked together.
    #[must_use]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch: batch.max(1), ..self }
    }

    /// With another seed; 0 unless said.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With other limits for pictures.
    #[must_use]
    pub fn with_image_limits(self, limits: ImageLimits) -> Self {
        Self { limits, ..self }
    }

    /// What answers depend on besides the questions, for the record of them.
    #[must_use]
    pub fn settings(&self) -> AskerSettings {
        AskerSettings {
            model: self.model.name().to_owned(),
            decoding: self.decoding.clone(),
            seed: self.seed,
        }
    }

    /// Asks what is not on record, and records each answer. `progress` is told how many questions of
    /// how many are done.
    ///
    /// A question whose picture cannot be read is recorded as a failure, and does not end the run.
    ///
    /// # Errors
    ///
    /// [`AnswersError`] if two questions have one name, one is on record with another prompt, the model
    /// fails or a file cannot be written. What was answered before is on record.
    pub fn run(
        &self,
        asks: &[Ask],
        journal: &mut AnswerJournal,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Answers> {
        check(asks)?;
        let mut left = Vec::new();
        for ask in asks {
            if journal.text(ask)?.is_none() {
                left.push(ask);
            }
        }
        let mut done = asks.len() - left.len();
        progress(done, asks.len());
        let batches: Vec<&[&Ask]> = left.chunks(self.batch).collect();
        let limits = self.limits;
        let mut opened = open(&batches, 0, &limits);
        let (mut last, mut failures) = (None, Vec::new());
        for (index, batch) in batches.iter().enumerate() {
            let (answers, next) = side_by_side(
                || self.answer(batch, opened, &mut last),
                || open(&batches, index + 1, &limits),
            );
            opened = next;
            failures.extend(record(batch, answers?, journal)?);
            done += batch.len();
            progress(done, asks.len());
        }
        let text = |ask: &Ask| Some((ask.id.clone(), journal.text(ask).ok()??.to_owned()));
        Ok(Answers { texts: asks.iter().filter_map(text).collect(), failures })
    }

    /// The answers of a batch, or why there is none. `last` is its last picture, for the next batch.
    fn answer(
        &self,
        batch: &[&Ask],
        opened: Opened,
        last: &mut Option<Picture<M::Image>>,
    ) -> Result<Vec<Result<String, String>>> {
        let before = last.take().filter(|_| opened.goes_on);
        let mut pictures: Vec<Picture<M::Image>> = before.into_iter().collect();
        pictures.extend(self.encode(opened.pictures)?);
        let asked = || batch.iter().zip(opened.of.iter().map(|&index| &pictures[index]));
        let written = asked().filter_map(|(ask, picture)| match &ask.how {
            How::Write => picture.as_ref().ok().map(|image| self.request(ask, image)),
            How::Choose(_) => None,
        });
        let mut written = self.write(&written.collect::<Vec<_>>())?.into_iter();
        let mut answers = Vec::with_capacity(batch.len());
        for (ask, picture) in asked() {
            answers.push(match (picture, &ask.how) {
                (Err(reason), _) => Err(reason.clone()),
                (Ok(_), How::Write) => Ok(written.next().expect("a text for each request")),
                (Ok(image), How::Choose(candidates)) => {
                    let best = rank(self.model, image, &ask.prompt, candidates)?.best();
                    Ok(candidates[best].clone())
                }
            });
        }
        *last = pictures.pop();
        Ok(answers)
    }

    /// Encodes the pictures that could be opened.
    fn encode(&self, opened: Vec<Result<RgbImage, String>>) -> Result<Vec<Picture<M::Image>>> {
        let mut pixels = Vec::new();
        let reasons: Vec<Result<(), String>> =
            opened.into_iter().map(|picture| picture.map(|picture| pixels.push(picture))).collect();
        let encoded = if pixels.is_empty() { Vec::new() } else { self.model.encode(&pixels)? };
        check_count("images", pixels.len(), encoded.len())?;
        let mut encoded = encoded.into_iter();
        let mut next = || encoded.next().expect("an image for each that was opened");
        Ok(reasons.into_iter().map(|opened| opened.map(|()| next())).collect())
    }

    fn request<'b>(&self, ask: &'b Ask, image: &'b M::Image) -> Request<'b, M::Image> {
        let seed = seed::derive(self.seed, &ask.id, "ask", 0);
        Request::new(image, &ask.prompt).with_seed(seed)
    }

    /// The best text for each request.
    fn write(&self, requests: &[Request<'_, M::Image>]) -> Result<Vec<String>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let texts = self.model.generate(requests, &self.decoding)?;
        check_count("requests", requests.len(), texts.len())?;
        let best = |texts: Vec<Generated>| match texts.into_iter().next() {
            Some(best) => Ok(best.text),
            None => {
                let what = "texts of a request";
                Err(vigc_pipeline::Error::ResultCount { what, expected: 1, found: 0 }.into())
            }
        };
        texts.into_iter().map(best).collect()
    }
}

/// An encoded picture, or why it could not be read.
type Picture<I> = Result<I, String>;

fn check(asks: &[Ask]) -> Result<()> {
    let mut places = HashMap::new();
    for (ask, place) in asks.iter().zip(1..) {
        if let Some(first) = places.insert(ask.id.as_str(), place) {
            return Err(AnswersError::SameName { id: ask.id.clone(), first, second: place });
        }
        if matches!(&ask.how, How::Choose(candidates) if candidates.is_empty()) {
            return Err(AnswersError::NoCandidates { id: ask.id.clone() });
        }
    }
    Ok(())
}

/// Opens the pictures of a batch, if there is such a batch.
fn open(batches: &[&[&Ask]], index: usize, limits: &ImageLimits) -> Opened {
    let before = index.checked_sub(1).and_then(|before| batches.get(before)?.last());
    batches
        .get(index)
        .map_or_else(Opened::default, |batch| Opened::of(batch, before.copied(), limits))
}

/// Does one thing here and another in a thread.
fn side_by_side<A, B: Send>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        match there.join() {
            Ok(there) => (here, there),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Records the answers of a batch, and returns the failures among them.
fn record(
    batch: &[&Ask],
    answers: Vec<Result<String, String>>,
    journal: &mut AnswerJournal,
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    for (ask, answer) in batch.iter().zip(answers) {
        match answer {
            Ok(text) => journal.answer(ask, text)?,
            Err(reason) => {
                let failure = Failure { id: ask.id.clone(), reason };
                journal.fail(&failure)?;
                failures.push(failure);
            }
        }
    }
    Ok(failures)
}
