//! Rows: what a run writes, with where everything in them comes from.

use serde::{Deserialize, Serialize};

use vigc_llm::generation::GenerationConfig;

use super::correction::Correction;
use super::diff::{SentenceChange, Verdict};
use super::outcome::{CorrectionStep, Rejection, StopReason};
use crate::prompt::Task;

/// A question and a corrected answer about an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstructionSample {
    /// The image file.
    pub image: String,
    /// The image's name below the folder it was found in, without extension.
    pub image_id: String,
    /// The task.
    pub task: Task,
    /// What VIG was asked.
    pub instruction: String,
    /// VIG's question.
    pub question: String,
    /// VIG's answer.
    pub draft: String,
    /// The summed log-probability of VIG's question and answer.
    pub draft_log_prob: Option<f32>,
    /// VIC's whole answer when it was asked for the first time.
    pub one_shot: Option<String>,
    /// The corrected answer, or the draft if nothing was corrected.
    pub answer: String,
    /// The sentences or paragraphs of the corrected answer.
    pub steps: Vec<CorrectionStep>,
    /// Why there are no more of them.
    pub stop: StopReason,
    /// The draft's sentences against the corrected answer's.
    pub changes: Vec<SentenceChange>,
    /// The last prompt with its answer.
    pub whole_text: String,
    /// What the row was made with.
    pub settings: RunSettings,
}

impl InstructionSample {
    /// Whether the corrected answer differs from the draft in more than punctuation.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changes.iter().any(|change| change.verdict != Verdict::Kept)
    }
}

/// A text of VIG that is no usable question and answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectedSample {
    /// The image file.
    pub image: String,
    /// The image's name below the folder it was found in, without extension.
    pub image_id: String,
    /// The task.
    pub task: Task,
    /// What VIG was asked.
    pub instruction: String,
    /// Why it is not usable.
    pub reason: Rejection,
    /// The text that was rejected.
    pub text: String,
    /// What it was made with.
    pub settings: RunSettings,
}

/// An image that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedImage {
    /// The file.
    pub image: String,
    /// Why.
    pub skipped: String,
}

/// One result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Record {
    /// A row.
    Sample(InstructionSample),
    /// A rejected text.
    Rejected(RejectedSample),
    /// A skipped image.
    Skipped(SkippedImage),
}

/// What a run depends on, besides its images and tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSettings {
    /// The model's name.
    pub model: String,
    /// The seed of the run. Each generation's own seed is derived from it.
    pub seed: u64,
    /// How texts are generated.
    pub decoding: GenerationConfig,
    /// How they are corrected.
    pub correction: Correction,
}
