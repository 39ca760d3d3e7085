//! OKVQA and A-OKVQA: a question whose first word is drawn, then several answers with weights
//! (`vqg_test.py`).

mod answers;
mod in_step;
mod job;
mod rows;

use serde::{Deserialize, Serialize};
use vigc_llm::generation::Rules;
use vigc_vision::image::ImageLimits;

use self::in_step::InStep;
use self::job::KnowledgeJob;
use super::dialogue::Rejection;
use super::export::{Exported, LlavaRecord, to_python_json};
use super::journal::{Finished, RunKind, RunRecord};
use super::sample::SkippedImage;
use super::scheduler::{Event, Scheduler, State};
use super::{GenerationConfig, ImageInput, LoopRules, VisualLm};
use crate::Result;
use crate::prompt::question_prefix::{A_OKVQA, OKVQA, QuestionPrefixes};
use crate::prompt::{PythonRandom, TextProcessor};

pub use answers::{merged_answers, reference_answer, reference_weight};
pub use rows::{AnswerRow, QuestionRow, RawAnswerRow, RawQuestionRow, write_questions};

/// Which data set's questions are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionStyle {
    /// First words drawn as in OKVQA.
    Okvqa,
    /// First words drawn as in A-OKVQA.
    AOkvqa,
    /// First words left to the model.
    Free,
}

impl QuestionStyle {
    /// The first words, unless they are left to the model.
    #[must_use]
    pub const fn prefixes(self) -> Option<QuestionPrefixes> {
        match self {
            Self::Okvqa => Some(OKVQA),
            Self::AOkvqa => Some(A_OKVQA),
            Self::Free => None,
        }
    }
}

/// How first words are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefixDraw {
    /// By their frequency.
    #[default]
    Weighted,
    /// All alike.
    Uniform,
}

/// Settings of both stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoStageSettings {
    /// Which data set's questions are imitated.
    pub style: QuestionStyle,
    /// How first words are drawn.
    pub draw: PrefixDraw,
    /// How questions are generated.
    pub question_decoding: GenerationConfig,
    /// How answers are generated; `n_best` is their number.
    pub answer_decoding: GenerationConfig,
    /// What is done to a question before it is asked.
    pub text_processor: TextProcessor,
    /// Ours, or the reference's, which keep empty questions and doubled answers.
    pub rules: LoopRules,
    /// The seed of the run.
    pub seed: u64,
}

impl TwoStageSettings {
    /// Five beams, a question of up to 199 tokens, then 5 answers of up to 9 tokens.
    #[must_use]
    pub fn new(style: QuestionStyle) -> Self {
        let modern = |config: GenerationConfig| config.with_rules(Rules::Modern);
        let reference = Self::reference(style);
        Self {
            question_decoding: modern(reference.question_decoding),
            answer_decoding: modern(reference.answer_decoding),
            rules: LoopRules::Strict,
            ..reference
        }
    }

    /// The reference's settings and rules.
    #[must_use]
    pub fn reference(style: QuestionStyle) -> Self {
        Self {
            style,
            draw: PrefixDraw::Weighted,
            question_decoding: GenerationConfig::upstream()
                .with_max_length(200)
                .with_min_length(10),
            answer_decoding: GenerationConfig::upstream()
                .with_max_length(10)
                .with_min_length(1)
                .with_n_best(5),
            text_processor: TextProcessor::BlipCaption,
            rules: LoopRules::Reference,
            seed: 42,
        }
    }

    /// The settings of a stage, by its index.
    fn decoding(&self, stage: usize) -> &GenerationConfig {
        if stage == job::QUESTION { &self.question_decoding } else { &self.answer_decoding }
    }

    /// With the rules of another version of transformers, for both stages.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        let Self { question_decoding, answer_decoding, .. } = self;
        Self {
            question_decoding: question_decoding.with_rules(rules),
            answer_decoding: answer_decoding.with_rules(rules),
            ..self
        }
    }

    /// With another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

/// A question with weighted answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnowledgeSample {
    /// The image file.
    pub image: String,
    /// The image's name below the folder it was found in, without extension.
    pub image_id: String,
    /// What VIG was asked, without the question's first word.
    pub instruction: String,
    /// The first word that was drawn.
    pub prefix: Option<String>,
    /// VIG's text with what it was begun with.
    pub question_answer: String,
    /// The question.
    pub question: String,
    /// VIG's answer.
    pub draft: String,
    /// The answers, best first.
    pub answers: Vec<WeightedAnswer>,
    /// The name of the model.
    pub model: String,
    /// What the row was made with.
    pub settings: TwoStageSettings,
}

/// An answer and how much it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightedAnswer {
    /// The answer.
    pub text: String,
    /// Under our rules its share of the candidates' probability, else the reference's weight.
    pub weight: f32,
}

/// One result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "nearly all records are samples")]
pub enum KnowledgeRecord {
    /// A row.
    Sample(KnowledgeSample),
    /// A text that is no usable question, or answers of which none is usable.
    Rejected {
        /// The image file.
        image: String,
        /// Why.
        reason: Rejection,
        /// VIG's text with what it was begun with.
        question_answer: String,
    },
    /// A skipped image.
    Skipped(SkippedImage),
}

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
        let (strict, in_step) = match self.settings.rules {
            LoopRules::Strict => (Some(self.run_shared(images, batch)), None),
            LoopRules::Reference => (None, Some(self.run_in_step(images, batch))),
        };
        strict.into_iter().flatten().chain(in_step.into_iter().flatten())
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

    fn run_in_step(
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
        let state = in_step::State::default();
        InStep { model, settings, limits, batch: batch.max(1), images, job, state }
    }
}

/// What a run of both stages depends on, besides its images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoStageRun {
    /// The model's name.
    pub model: String,
    /// The settings.
    #[serde(flatten)]
    pub settings: TwoStageSettings,
}

impl RunKind for TwoStageRun {
    type Record = KnowledgeRecord;
}

impl RunRecord for KnowledgeRecord {
    type Row = KnowledgeSample;

    fn row(&self) -> Option<&KnowledgeSample> {
        match self {
            Self::Sample(sample) => Some(sample),
            Self::Rejected { .. } | Self::Skipped(_) => None,
        }
    }
}

/// What LLaVA 1.5 asks for short answers with.
const SHORTLY: &str = "Answer the question using a single word or phrase.";

impl Exported for KnowledgeSample {
    fn llava(&self) -> LlavaRecord {
        let question = format!("{}\n{SHORTLY}", self.question);
        let answer = self.answers.first().map_or("", |answer| &answer.text);
        LlavaRecord::new(&self.image_id, &self.image, &question, answer)
    }

    fn reference(&self) -> serde_json::Result<String> {
        to_python_json(&AnswerRow::from(self))
    }
}
