//! VIG and VIC over many images.

use vigc_llm::generation::{Generated, GenerationConfig};
use vigc_vision::image::ImageLimits;

use super::correction::Correction;
use super::dialogue::Dialogue;
use super::image_source::ImageInput;
use super::journal::Finished;
use super::sample::{InstructionSample, Record, RejectedSample, RunSettings};
use super::scheduler::{Event, Job, Scheduler, State};
use super::seed;
use super::speedups::Speedups;
use crate::Result;
use crate::prompt::Task;
use crate::visual_lm::{Request, VisualLm};

/// Generates questions and drafts about images, and corrects them.
///
/// Samples at different steps share batches: a finished one leaves at once and the next enters. An
/// image is encoded once for all its tasks and steps. Rows come in the order of the images, then of
/// the tasks, and do not depend on the size of the batch.
#[derive(Debug)]
pub struct Vigc<'a, M: ?Sized> {
    model: &'a M,
    tasks: Vec<Task>,
    decoding: GenerationConfig,
    correction: Correction,
    seed: u64,
    limits: ImageLimits,
    speedups: Speedups,
    finished: Finished,
}

impl<'a, M: VisualLm + ?Sized> Vigc<'a, M> {
    /// Conversations by beam search with 5 beams, corrected until the model ends.
    #[must_use]
    pub fn new(model: &'a M) -> Self {
        Self {
            model,
            tasks: vec![Task::Conversation],
            decoding: GenerationConfig::beam_search(5),
            correction: Correction::default(),
            seed: 42,
            limits: ImageLimits::default(),
            speedups: Speedups::default(),
            finished: Finished::default(),
        }
    }

    /// With one task.
    #[must_use]
    pub fn with_task(self, task: Task) -> Self {
        self.with_tasks([task])
    }

    /// With several tasks for each image.
    #[must_use]
    pub fn with_tasks(mut self, tasks: impl IntoIterator<Item = Task>) -> Self {
        self.tasks = tasks.into_iter().collect();
        self
    }

    /// With other settings of generation.
    #[must_use]
    pub fn with_decoding(self, decoding: GenerationConfig) -> Self {
        Self { decoding, ..self }
    }

    /// With another correction.
    #[must_use]
    pub fn with_correction(self, correction: Correction) -> Self {
        Self { correction, ..self }
    }

    /// With another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With other limits for image files.
    #[must_use]
    pub fn with_image_limits(self, limits: ImageLimits) -> Self {
        Self { limits, ..self }
    }

    /// With other means to save time.
    #[must_use]
    pub fn with_speedups(self, speedups: Speedups) -> Self {
        Self { speedups, ..self }
    }

    /// Without the samples that an earlier run finished.
    #[must_use]
    pub fn with_finished(self, finished: Finished) -> Self {
        Self { finished, ..self }
    }

    /// What rows depend on, besides images and tasks.
    #[must_use]
    pub fn settings(&self) -> RunSettings {
        RunSettings {
            model: self.model.name().to_owned(),
            seed: self.seed,
            decoding: self.decoding.clone(),
            correction: self.correction,
        }
    }

    /// Runs `batch` samples at a time.
    ///
    /// A file that is no usable image becomes a [`Record::Skipped`] and a text that is no usable
    /// question and answer a [`Record::Rejected`]; neither ends the run. A failing model does, with
    /// one error.
    pub fn run(
        self,
        images: impl IntoIterator<Item = impl Into<ImageInput>>,
        batch: usize,
    ) -> impl Iterator<Item = Result<Record>> {
        let settings = self.settings();
        let (tasks, finished, speedups) = (self.tasks, self.finished, self.speedups);
        let jobs = move |input: &ImageInput| {
            let is_left = |task: &&Task| !finished.contains(&input.name(), **task);
            let tasks = tasks.iter().filter(is_left);
            tasks.map(|&task| Sample::new(input, task, &settings, speedups)).collect()
        };
        let scheduler = Scheduler {
            model: self.model,
            decodings: vec![self.decoding],
            limits: self.limits,
            batch,
            images: images.into_iter().map(Into::into),
            jobs,
            state: State::default(),
        };
        scheduler.map(|event| {
            event.map(|event| match event {
                Event::Done(record) => record,
                Event::Skipped(skipped) => Record::Skipped(skipped),
            })
        })
    }
}

/// One image with one task.
struct Sample {
    image: String,
    image_id: String,
    task: Task,
    settings: RunSettings,
    speedups: Speedups,
    dialogue: Dialogue,
    step: u64,
}

impl Sample {
    fn new(input: &ImageInput, task: Task, settings: &RunSettings, speedups: Speedups) -> Self {
        Self {
            image: input.name(),
            image_id: input.id.clone(),
            task,
            settings: settings.clone(),
            speedups,
            dialogue: Dialogue::new(task.instruction(), settings.correction),
            step: 0,
        }
    }
}

impl Job for Sample {
    type Output = Record;

    fn next(&self) -> Option<Request<'_, ()>> {
        let seed = seed::derive(self.settings.seed, &self.image_id, self.task.name(), self.step);
        let hint = self.speedups.limit(self.dialogue.hint());
        let request = |prompt| Request::without_image(prompt).with_seed(seed).with_hint(hint);
        self.dialogue.next_prompt().map(request)
    }

    fn accept(&mut self, texts: &[Generated]) {
        self.dialogue.accept(&texts[0]);
        self.step += 1;
    }

    fn finish(self) -> Record {
        let Self { image, image_id, task, settings, dialogue, .. } = self;
        let instruction = task.instruction().to_owned();
        match dialogue.finish() {
            Ok(texts) => Record::Sample(InstructionSample {
                image,
                image_id,
                task,
                instruction,
                question: texts.question,
                draft: texts.draft,
                draft_log_prob: texts.draft_log_prob,
                one_shot: texts.one_shot,
                answer: texts.answer,
                steps: texts.steps,
                stop: texts.stop,
                changes: texts.changes,
                whole_text: texts.whole_text,
                settings,
            }),
            Err(rejected) => Record::Rejected(RejectedSample {
                image,
                image_id,
                task,
                instruction,
                reason: rejected.reason,
                text: rejected.text,
                settings,
            }),
        }
    }
}
