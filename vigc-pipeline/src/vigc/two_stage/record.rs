//! What both stages write.

use serde::{Deserialize, Serialize};

use super::settings::TwoStageSettings;
use crate::vigc::journal::{RunKind, RunRecord};
use crate::vigc::outcome::Rejection;
use crate::vigc::sample::SkippedImage;

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
