//! OKVQA and A-OKVQA: a question whose first word is drawn, then several answers with weights
//! (`vqg_test.py`).

mod answers;
mod job;
mod rows;

use serde::{Deserialize, Serialize};
use vigc_vision::image::ImageLimits;

use self::job::KnowledgeJob;
use super::dialogue::Rejection;
use super::sample::SkippedImage;
use super::scheduler::{Event, Scheduler, State};
use super::{GenerationConfig, ImageInput, LoopRules, VisualLm};
use crate::Result;
use crate::prompt::TextProcessor;
use crate::prompt::question_prefix::{A_OKVQA, OKVQA, QuestionPrefixes};

pub use answers::{merged_answers, reference_answer, reference_weight};
pub use rows::{AnswerRow, QuestionRow, RawAnswerRow, RawQuestionRow};

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
    /// How answers are generated; `num_return_sequences` is their number.
    pub answer_decoding: GenerationConfig,
    /// What is done to a question before it is asked.
    pub text_processor: TextProcessor,
    /// Ours, or the reference's, which keep empty questions and doubled answers.
    pub rules: LoopRules,
    /// The seed of the run.
    pub seed: u64,
}

impl TwoStageSettings {
    /// The reference's settings: 5 beams, questions of 10 to 200 tokens, 5 answers of up to 10.
    ///
    /// It counts a token that no text holds, so that one less is generated.
    #[must_use]
    pub fn new(style: QuestionStyle) -> Self {
        let mut question_decoding = GenerationConfig::beam_search(5);
        (question_decoding.min_new_tokens, question_decoding.max_new_tokens) = (9, 199);
        let mut answer_decoding = GenerationConfig::beam_search(5);
        (answer_decoding.max_new_tokens, answer_decoding.num_return_sequences) = (9, 5);
        Self {
            style,
            draw: PrefixDraw::Weighted,
            question_decoding,
            answer_decoding,
            text_processor: TextProcessor::BlipCaption,
            rules: LoopRules::Strict,
            seed: 42,
        }
    }

    /// With other rules.
    #[must_use]
    pub fn with_rules(self, rules: LoopRules) -> Self {
        Self { rules, ..self }
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

/// Asks questions about images, then for answers to them, in batches shared by both stages.
///
/// # Errors
///
/// A failing model ends the run with one error.
pub fn run<M: VisualLm + ?Sized>(
    model: &M,
    settings: TwoStageSettings,
    images: impl IntoIterator<Item = impl Into<ImageInput>>,
    batch: usize,
) -> impl Iterator<Item = Result<KnowledgeRecord>> {
    let decodings = vec![settings.question_decoding.clone(), settings.answer_decoding.clone()];
    let name = model.name().to_owned();
    let scheduler = Scheduler {
        model,
        decodings,
        limits: ImageLimits::default(),
        batch,
        images: images.into_iter().map(Into::into),
        jobs: move |input: &ImageInput| vec![KnowledgeJob::new(input, &name, &settings)],
        state: State::default(),
    };
    scheduler.map(|event| {
        event.map(|event| match event {
            Event::Done(record) => record,
            Event::Skipped(skipped) => KnowledgeRecord::Skipped(skipped),
        })
    })
}
