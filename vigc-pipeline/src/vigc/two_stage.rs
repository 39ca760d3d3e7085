//! OKVQA and A-OKVQA: a question whose first word is drawn, then several answers with weights
//! (`vqg_test.py`).

mod answers;
mod job;
mod lockstep;
mod record;
mod rows;
mod settings;

use vigc_vision::image::ImageLimits;

use self::job::KnowledgeJob;
use self::lockstep::Lockstep;
use super::correction::LoopRules;
use super::image_source::ImageInput;
use super::journal::Finished;
use super::scheduler::{Event, Scheduler, State};
use crate::Result;
use crate::prompt::PythonRandom;
use crate::visual_lm::VisualLm;

pub use answers::{merged_answers, upstream_answer, upstream_weight};
pub use record::{KnowledgeRecord, KnowledgeSample, TwoStageRun, WeightedAnswer};
pub use rows::{AnswerRow, QuestionRow, RawAnswerRow, RawQuestionRow, write_questions};
pub use settings::{PrefixDraw, QuestionStyle, TwoStageSettings};

/// Asks questions about images, then for answers to them.
#[derive(Debug)]
pub struct TwoStage<'a, M: ?Sized> {
    model: &'a M,
    settings: TwoStageSettings,
    limits: ImageLimits,
    finished: Finished,
}

impl<'a, M: VisualLm + ?Sized> TwoStage<'a, M> {
    /// With the default limits for image files.
    #[must_use]
    pub fn new(model: &'a M, settings: TwoStageSettings) -> Self {
        let (limits, finished) = (ImageLimits::default(), Finished::default());
        Self { model, settings, limits, finished }
    }

    /// With other limits for image files.
    #[must_use]
    pub fn with_image_limits(self, limits: ImageLimits) -> Self {
        Self { limits, ..self }
    }

    /// Without the images that an earlier run finished.
    #[must_use]
    pub fn with_finished(self, finished: Finished) -> Self {
        Self { finished, ..self }
    }

    /// What rows depend on, besides images.
    #[must_use]
    pub fn settings(&self) -> TwoStageRun {
        TwoStageRun { model: self.model.name().to_owned(), settings: self.settings.clone() }
    }

    /// Runs `batch` images at a time.
    ///
    /// Under our rules both stages share batches, and a row depends on nothing but its image and the settings. Under the
    /// reference's, `batch` questions are asked together, then twice as many answers, and first words are what
    /// `random.choices` draws after `random.seed`, one for each image in turn.
    ///
    /// # Errors
    ///
    /// A failing model ends the run with one error.
    pub fn run(
        self,
        images: impl IntoIterator<Item = impl Into<ImageInput>>,
        batch: usize,
    ) -> impl Iterator<Item = Result<KnowledgeRecord>> {
        let images = images.into_iter().map(Into::into);
        let (strict, lockstep) = match self.settings.rules {
            LoopRules::Strict => (Some(self.run_shared(images, batch)), None),
            LoopRules::Upstream => (None, Some(self.run_in_lockstep(images, batch))),
        };
        strict.into_iter().flatten().chain(lockstep.into_iter().flatten())
    }

    fn run_shared(
        self,
        images: impl Iterator<Item = ImageInput>,
        batch: usize,
    ) -> impl Iterator<Item = Result<KnowledgeRecord>> {
        let Self { model, settings, limits, finished } = self;
        let decodings = vec![settings.question_decoding.clone(), settings.answer_decoding.clone()];
        let name = model.name().to_owned();
        let jobs = move |input: &ImageInput| {
            let is_left = !finished.contains_image(&input.name());
            is_left.then(|| KnowledgeJob::new(input, &name, &settings)).into_iter().collect()
        };
        let state = State::default();
        let scheduler = Scheduler { model, decodings, limits, batch, images, jobs, state };
        scheduler.map(|event| {
            event.map(|event| match event {
                Event::Done(record) => record,
                Event::Skipped(skipped) => KnowledgeRecord::Skipped(skipped),
            })
        })
    }

    fn run_in_lockstep(
        self,
        images: impl Iterator<Item = ImageInput>,
        batch: usize,
    ) -> impl Iterator<Item = Result<KnowledgeRecord>> {
        let Self { model, settings, limits, finished } = self;
        let name = model.name().to_owned();
        let mut random = PythonRandom::new(settings.seed);
        let drawn = settings.clone();
        let job = move |input: &ImageInput| {
            let weighted = drawn.draw == PrefixDraw::Weighted;
            // Also for an image that is finished, so that the next gets its own word.
            let prefixes = drawn.style.prefixes();
            let prefix = prefixes.map(|prefixes| prefixes.as_python(&mut random, weighted));
            let is_left = !finished.contains_image(&input.name());
            is_left.then(|| KnowledgeJob::with_prefix(input, &name, &drawn, prefix))
        };
        let state = lockstep::State::default();
        Lockstep { model, settings, limits, batch: batch.max(1), images, job, state }
    }
}
