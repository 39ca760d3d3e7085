//! Both stages as the reference's program runs them: whole batches of questions, then batches of answers twice as large.
//!
//! Under the rules of transformers 4.28.1 a text may depend on the rows beside it, so the same rows have to meet.

use std::collections::VecDeque;

use vigc_vision::image::ImageLimits;

use super::job::KnowledgeJob;
use super::record::KnowledgeRecord;
use super::settings::{ANSWERS, QUESTION, TwoStageSettings};
use crate::Result;
use crate::vigc::image_source::{ImageInput, open};
use crate::vigc::scheduler::{Job, check_count, skip};
use crate::visual_lm::VisualLm;

/// Answers asked for together, for each question that is: the reference's batches are 8 and 16.
const ANSWERS_FOR_A_QUESTION: usize = 2;

pub(super) struct Lockstep<'a, M: VisualLm + ?Sized, I, F> {
    pub(super) model: &'a M,
    pub(super) settings: TwoStageSettings,
    pub(super) limits: ImageLimits,
    pub(super) batch: usize,
    pub(super) images: I,
    /// The job of an image; none if it is not to be asked about.
    pub(super) job: F,
    pub(super) state: State<M::Image>,
}

/// What is kept between records.
pub(super) struct State<Image> {
    /// In the order of the images, questions asked.
    asked: VecDeque<Asked<Image>>,
    ready: VecDeque<KnowledgeRecord>,
    no_more_images: bool,
    is_over: bool,
}

impl<Image> Default for State<Image> {
    fn default() -> Self {
        let (asked, ready) = (VecDeque::new(), VecDeque::new());
        Self { asked, ready, no_more_images: false, is_over: false }
    }
}

enum Asked<Image> {
    /// Ready to be recorded.
    Done(KnowledgeRecord),
    Waiting(KnowledgeJob, Image),
}

impl<M, I, F> Iterator for Lockstep<'_, M, I, F>
where
    M: VisualLm + ?Sized,
    I: Iterator<Item = ImageInput>,
    F: FnMut(&ImageInput) -> Option<KnowledgeJob>,
{
    type Item = Result<KnowledgeRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.state.ready.is_empty() && !self.state.is_over {
            let enough = self.waiting() >= self.batch * ANSWERS_FOR_A_QUESTION;
            let result = match enough || self.state.no_more_images {
                true => self.ask_for_answers(),
                false => self.ask_questions(),
            };
            if let Err(error) = result {
                self.state.is_over = true;
                return Some(Err(error));
            }
        }
        self.state.ready.pop_front().map(Ok)
    }
}

impl<M, I, F> Lockstep<'_, M, I, F>
where
    M: VisualLm + ?Sized,
    I: Iterator<Item = ImageInput>,
    F: FnMut(&ImageInput) -> Option<KnowledgeJob>,
{
    /// How many questions wait for answers.
    fn waiting(&self) -> usize {
        self.state.asked.iter().filter(|asked| matches!(asked, Asked::Waiting(..))).count()
    }

    /// Asks questions about as many images as a batch holds.
    fn ask_questions(&mut self) -> Result<()> {
        let mut entries = Vec::new();
        let mut pixels = Vec::new();
        while pixels.len() < self.batch && !self.state.no_more_images {
            let admitted = self.admit(self.batch - pixels.len());
            for (result, (input, job)) in
                open(&admitted, |(input, _)| input, &self.limits).into_iter().zip(admitted)
            {
                match result {
                    Ok(image) => {
                        pixels.push(image);
                        entries.push(Ok(job));
                    }
                    Err(error) => entries.push(Err(KnowledgeRecord::Skipped(skip(&input, &error)))),
                }
            }
        }
        let encoded = if pixels.is_empty() { Vec::new() } else { self.model.encode(&pixels)? };
        check_count("images", pixels.len(), encoded.len())?;
        let mut encoded = encoded.into_iter();
        let mut asked = Vec::with_capacity(entries.len());
        for entry in entries {
            asked.push(match entry {
                Ok(job) => Asked::Waiting(job, encoded.next().expect("an image for each job")),
                Err(record) => Asked::Done(record),
            });
        }
        self.ask(&mut asked, QUESTION)?;
        self.state.asked.extend(asked.into_iter().map(|asked| match asked {
            Asked::Waiting(job, _) if job.next().is_none() => Asked::Done(job.finish()),
            asked => asked,
        }));
        Ok(())
    }

    /// Takes the next images that are to be asked about.
    fn admit(&mut self, most: usize) -> Vec<(ImageInput, KnowledgeJob)> {
        let mut admitted = Vec::new();
        while admitted.len() < most {
            let Some(input) = self.images.next() else {
                self.state.no_more_images = true;
                break;
            };
            if let Some(job) = (self.job)(&input) {
                admitted.push((input, job));
            }
        }
        admitted
    }

    /// Asks for the answers to the first questions, and records what is finished in order.
    fn ask_for_answers(&mut self) -> Result<()> {
        let mut taken = Vec::new();
        let mut waiting = 0;
        while waiting < self.batch * ANSWERS_FOR_A_QUESTION
            && let Some(asked) = self.state.asked.pop_front()
        {
            waiting += usize::from(matches!(asked, Asked::Waiting(..)));
            taken.push(asked);
        }
        self.ask(&mut taken, ANSWERS)?;
        self.state.ready.extend(taken.into_iter().map(|asked| match asked {
            Asked::Waiting(job, _) => job.finish(),
            Asked::Done(record) => record,
        }));
        self.state.is_over = self.state.asked.is_empty() && self.state.no_more_images;
        Ok(())
    }

    /// Asks the model once for every job that waits.
    fn ask(&self, asked: &mut [Asked<M::Image>], decoding: usize) -> Result<()> {
        let requests = asked.iter().filter_map(|asked| {
            let Asked::Waiting(job, image) = asked else { return None };
            let ask = job.next()?;
            Some(ask.with_image(image))
        });
        let requests = requests.collect::<Vec<_>>();
        if requests.is_empty() {
            return Ok(());
        }
        let texts = self.model.generate(&requests, self.settings.decoding(decoding))?;
        check_count("requests", requests.len(), texts.len())?;
        let jobs = asked.iter_mut().filter_map(|asked| match asked {
            Asked::Waiting(job, _) => Some(job),
            Asked::Done(_) => None,
        });
        for (job, texts) in jobs.zip(texts) {
            check_count("texts of a request", 1, texts.len().min(1))?;
            job.accept(&texts);
        }
        Ok(())
    }
}
