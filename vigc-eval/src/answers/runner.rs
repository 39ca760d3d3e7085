//! Asking a model, batch by batch.

use std::collections::HashMap;
use std::path::Path;
use std::thread;

use image::RgbImage;
use rayon::prelude::*;
use vigc_core::progress::Progress;
use vigc_pipeline::error_text;
use vigc_pipeline::prompt::qa_text::QuestionAnswer;
use vigc_pipeline::vigc::rank::rank;
use vigc_pipeline::vigc::{
    Correction, Generated, GenerationConfig, Request, Vic, VisualLm, check_count, seed,
};
use vigc_vision::image::{ImageLimits, decode_image, open_image};

use super::files::AnswerJournal;
use super::query::{AnswerMode, Answers, Failure, Query, QueryImage, RunnerSettings};
use crate::error::{Error, Result};

/// The default batch size.
const BATCH: usize = 16;

/// Asks a model the queries of a suite, in batches.
///
/// An answer depends on its query and on the settings, not on the other queries of its batch, unless
/// decoding follows the rules of transformers 4.28.1. Images are opened while the model works on the batch before,
/// and an image of the batch before is not encoded again.
#[derive(Debug)]
pub struct QueryRunner<'a, M: ?Sized> {
    model: &'a M,
    decoding: GenerationConfig,
    correction: Option<Correction>,
    seed: u64,
    batch: usize,
    limits: ImageLimits,
}

impl<'a, M: VisualLm + ?Sized> QueryRunner<'a, M> {
    /// A runner that asks 16 queries at a time, with seed 0.
    #[must_use]
    pub fn new(model: &'a M, decoding: GenerationConfig) -> Self {
        let limits = ImageLimits::default();
        Self { model, decoding, correction: None, seed: 0, batch: BATCH, limits }
    }

    /// Sets the number of queries that are asked together, at least 1.
    #[must_use]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch: batch.max(1), ..self }
    }

    /// Sets the seed of sampling.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets how the drafts of [`AnswerMode::Correct`] are corrected.
    #[must_use]
    pub fn with_correction(self, correction: Correction) -> Self {
        Self { correction: Some(correction), ..self }
    }

    /// Sets the largest image that is read.
    #[must_use]
    pub fn with_image_limits(self, limits: ImageLimits) -> Self {
        Self { limits, ..self }
    }

    /// What answers depend on besides the queries.
    #[must_use]
    pub fn settings(&self) -> RunnerSettings {
        RunnerSettings {
            model: self.model.name().to_owned(),
            decoding: self.decoding.clone(),
            seed: self.seed,
            correction: self.correction,
        }
    }

    /// Asks every query that the journal has no answer to, and records each answer. `progress` receives the
    /// number of queries that are done and the number of all, as the task `queries`.
    ///
    /// A query whose image cannot be read is recorded as a failure. It does not end the run.
    ///
    /// # Errors
    ///
    /// [`Error::SameId`] and [`Error::NoCandidates`] if the queries are not valid, [`Error::OtherPrompt`] if the
    /// journal has the answer to another prompt, [`Error::Pipeline`] if the model fails, and [`Error::Core`] if a
    /// file cannot be written. Earlier answers stay on record.
    pub fn run(
        &self,
        queries: &[Query],
        journal: &mut AnswerJournal,
        progress: &Progress,
    ) -> Result<Answers> {
        check(queries)?;
        let mut left = Vec::new();
        for query in queries {
            if journal.text(query)?.is_none() {
                left.push(query);
            }
        }
        let mut done = queries.len() - left.len();
        let report = |done: usize| progress.report("queries", done as u64, queries.len() as u64);
        report(done);
        let batches: Vec<&[&Query]> = left.chunks(self.batch).collect();
        let limits = self.limits;
        let mut opened = Opened::batch(&batches, 0, &limits);
        let (mut last, mut failures) = (Vec::new(), Vec::new());
        for (index, batch) in batches.iter().enumerate() {
            let (answers, next) = side_by_side(
                || self.answer(batch, opened, &mut last),
                || Opened::batch(&batches, index + 1, &limits),
            );
            opened = next;
            failures.extend(record(batch, answers?, journal)?);
            done += batch.len();
            report(done);
        }
        let text = |query: &Query| Some((query.id.clone(), journal.text(query).ok()??.to_owned()));
        Ok(Answers { texts: queries.iter().filter_map(text).collect(), failures })
    }

    /// The answer to each query of a batch, or why its image cannot be read. `last` holds the encoded images of the
    /// batch before, and afterwards those of this one.
    fn answer(
        &self,
        batch: &[&Query],
        opened: Opened,
        last: &mut Vec<Encoded<M::Image>>,
    ) -> Result<Vec<Result<String, String>>> {
        let mut images = std::mem::take(last);
        images.extend(self.encode(opened.images)?);
        let places = opened.places;
        let asked: Vec<(&Query, &Encoded<M::Image>)> =
            batch.iter().zip(&places).map(|(query, &place)| (*query, &images[place])).collect();
        let mut generated = self.generate(&asked)?.into_iter();
        let mut corrected = self.correct(&asked)?.into_iter();
        let mut answers = Vec::with_capacity(batch.len());
        for (query, image) in asked {
            answers.push(match (image, &query.mode) {
                (Err(reason), _) => Err(reason.clone()),
                (Ok(_), AnswerMode::Generate) => {
                    Ok(generated.next().expect("there is a text for each request"))
                }
                (Ok(_), AnswerMode::Correct { .. }) => {
                    Ok(corrected.next().expect("there is an answer for each draft"))
                }
                (Ok(image), AnswerMode::Choose(candidates)) => {
                    let best = rank(self.model, image, &query.prompt, candidates)?.best();
                    Ok(candidates[best].clone())
                }
            });
        }
        // Each image once, in the order in which the next batch counts them.
        let mut images: Vec<_> = images.into_iter().map(Some).collect();
        *last = places.iter().filter_map(|&place| images[place].take()).collect();
        Ok(answers)
    }

    /// Encodes the images that could be opened.
    fn encode(&self, opened: Vec<Result<RgbImage, String>>) -> Result<Vec<Encoded<M::Image>>> {
        let mut pixels = Vec::new();
        let reasons: Vec<Result<(), String>> =
            opened.into_iter().map(|image| image.map(|image| pixels.push(image))).collect();
        let encoded = if pixels.is_empty() { Vec::new() } else { self.model.encode(&pixels)? };
        check_count("images", pixels.len(), encoded.len())?;
        let mut encoded = encoded.into_iter();
        let mut next = || encoded.next().expect("there is an encoded image for each opened one");
        Ok(reasons.into_iter().map(|opened| opened.map(|()| next())).collect())
    }

    /// The texts of all queries that are answered with [`AnswerMode::Generate`].
    fn generate(&self, asked: &[(&Query, &Encoded<M::Image>)]) -> Result<Vec<String>> {
        let requests = asked.iter().filter_map(|(query, image)| match (image, &query.mode) {
            (Ok(image), AnswerMode::Generate) => Some(
                Request::new(image, &query.prompt)
                    .with_seed(seed::derive(self.seed, &query.id, "ask", 0)),
            ),
            _ => None,
        });
        let texts = self.best_texts(&requests.collect::<Vec<_>>())?;
        Ok(texts.into_iter().map(|best| best.text).collect())
    }

    /// The corrected answers of all queries that are answered with [`AnswerMode::Correct`], step by step.
    fn correct(&self, asked: &[(&Query, &Encoded<M::Image>)]) -> Result<Vec<String>> {
        let correction = self.correction.unwrap_or_default();
        let drafts = asked.iter().filter_map(|(query, image)| match (image, &query.mode) {
            (Ok(image), AnswerMode::Correct { question, draft }) => {
                let pair = QuestionAnswer { question: question.clone(), answer: draft.clone() };
                Some((&query.id, image, Vic::for_question(&query.prompt, pair, correction)))
            }
            _ => None,
        });
        let mut drafts: Vec<_> = drafts.collect();
        for step in 0.. {
            let open: Vec<usize> =
                (0..drafts.len()).filter(|&at| drafts[at].2.next_prompt().is_some()).collect();
            if open.is_empty() {
                break;
            }
            let request = |&at: &usize| {
                let (id, image, vic) = &drafts[at];
                let seed = seed::derive(self.seed, id, "correct", step);
                Some(Request { image: *image, prompt: vic.next_prompt()?, seed, hint: vic.hint() })
            };
            let texts = self.best_texts(&open.iter().filter_map(request).collect::<Vec<_>>())?;
            for (at, text) in open.into_iter().zip(texts) {
                drafts[at].2.accept(&text);
            }
        }
        let answer = |vic: Vic| vic.finish().map(|row| row.answer).unwrap_or_default();
        Ok(drafts.into_iter().map(|(.., vic)| answer(vic)).collect())
    }

    /// The best text for each request.
    fn best_texts(&self, requests: &[Request<'_, M::Image>]) -> Result<Vec<Generated>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let texts = self.model.generate(requests, &self.decoding)?;
        check_count("requests", requests.len(), texts.len())?;
        let best = |texts: Vec<Generated>| match texts.into_iter().next() {
            Some(best) => Ok(best),
            None => {
                let what = "texts of a request";
                Err(vigc_pipeline::Error::ResultCount { what, expected: 1, found: 0 }.into())
            }
        };
        texts.into_iter().map(best).collect()
    }
}

/// An encoded image, or why it could not be read.
type Encoded<I> = Result<I, String>;

/// The images of a batch, opened before its turn.
#[derive(Default)]
struct Opened {
    /// The place of each query's image among the images of the batch before, followed by `images`.
    places: Vec<usize>,
    /// The images that the batch before does not have, or why they cannot be read.
    images: Vec<Result<RgbImage, String>>,
}

impl Opened {
    /// Opens the images of the batch at `index`, if there is one.
    fn batch(batches: &[&[&Query]], index: usize, limits: &ImageLimits) -> Self {
        let Some(batch) = batches.get(index) else { return Self::default() };
        let before = index.checked_sub(1).map_or(&[][..], |before| batches[before]);
        let mut known: Vec<&QueryImage> = Vec::new();
        for query in before {
            place(query, &mut known);
        }
        let (mut new, mut places) = (Vec::new(), Vec::with_capacity(batch.len()));
        for query in *batch {
            let count = known.len();
            places.push(place(query, &mut known));
            if known.len() > count {
                new.push(*query);
            }
        }
        let images = new.par_iter().map(|query| open(query, limits)).collect();
        Self { places, images }
    }
}

/// The place of a query's image among those that are known, where it is put if it is new.
fn place<'a>(query: &'a Query, known: &mut Vec<&'a QueryImage>) -> usize {
    known.iter().position(|image| **image == query.image).unwrap_or_else(|| {
        known.push(&query.image);
        known.len() - 1
    })
}

fn open(query: &Query, limits: &ImageLimits) -> Result<RgbImage, String> {
    let (name, opened) = match &query.image {
        QueryImage::File(path) => (path.as_path(), open_image(path, limits)),
        QueryImage::Bytes(bytes) => {
            let name = Path::new(&query.id);
            (name, decode_image(bytes, name, limits))
        }
    };
    opened.map_err(|error| error_text(&error, &name.to_string_lossy()))
}

fn check(queries: &[Query]) -> Result<()> {
    let mut places = HashMap::new();
    for (query, place) in queries.iter().zip(1..) {
        if let Some(first) = places.insert(query.id.as_str(), place) {
            return Err(Error::SameId { id: query.id.clone(), first, second: place });
        }
        if matches!(&query.mode, AnswerMode::Choose(candidates) if candidates.is_empty()) {
            return Err(Error::NoCandidates { id: query.id.clone() });
        }
    }
    Ok(())
}

/// Runs one closure on this thread and another on a second one.
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

/// Records the answers of a batch and returns the failures among them.
fn record(
    batch: &[&Query],
    answers: Vec<Result<String, String>>,
    journal: &mut AnswerJournal,
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    for (query, answer) in batch.iter().zip(answers) {
        match answer {
            Ok(text) => journal.answer(query, text)?,
            Err(reason) => {
                let failure = Failure { id: query.id.clone(), reason };
                journal.fail(&failure)?;
                failures.push(failure);
            }
        }
    }
    Ok(failures)
}
