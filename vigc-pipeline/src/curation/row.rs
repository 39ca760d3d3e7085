//! A row of either kind of run.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::prompt::Task;
use crate::vigc::diff::SentenceChange;
use crate::vigc::export::{Exported, LlavaRecord};
use crate::vigc::two_stage::{KnowledgeSample, TwoStageRun};
use crate::vigc::{InstructionSample, StopReason};

/// A row of either kind of run.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A question with a corrected answer.
    Instruction(InstructionSample),
    /// A question with weighted short answers.
    Knowledge(KnowledgeSample),
}

impl Row {
    /// Reads a line. Rows with `answers` are questions with short answers.
    ///
    /// # Errors
    ///
    /// Names the key that is missing or wrong.
    pub fn from_json(line: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Kind {
            answers: Option<IgnoredAny>,
        }
        match serde_json::from_slice::<Kind>(line)?.answers {
            Some(_) => serde_json::from_slice(line).map(Self::Knowledge),
            None => serde_json::from_slice(line).map(Self::Instruction),
        }
    }

    /// The image file, which is also what tells pictures apart.
    #[must_use]
    pub fn image(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.image,
            Self::Knowledge(row) => &row.image,
        }
    }

    /// The image's name below the folder it was found in, without extension.
    #[must_use]
    pub fn image_id(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.image_id,
            Self::Knowledge(row) => &row.image_id,
        }
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Instruction(row) => row.task,
            Self::Knowledge(_) => Task::KnowledgeVqa,
        }
    }

    /// What VIG was asked.
    #[must_use]
    pub fn instruction(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.instruction,
            Self::Knowledge(row) => &row.instruction,
        }
    }

    /// The question.
    #[must_use]
    pub fn question(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.question,
            Self::Knowledge(row) => &row.question,
        }
    }

    /// The answer, of several the best.
    #[must_use]
    pub fn answer(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.answer,
            Self::Knowledge(row) => row.answers.first().map_or("", |answer| &answer.text),
        }
    }

    /// VIG's answer.
    #[must_use]
    pub fn draft(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.draft,
            Self::Knowledge(row) => &row.draft,
        }
    }

    /// The name of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.settings.model,
            Self::Knowledge(row) => &row.model,
        }
    }

    /// What the row was made with, the model's name among it.
    ///
    /// # Errors
    ///
    /// If it cannot be serialized.
    pub fn settings(&self) -> serde_json::Result<String> {
        match self {
            Self::Instruction(row) => serde_json::to_string(&row.settings),
            Self::Knowledge(row) => serde_json::to_string(&TwoStageRun {
                model: row.model.clone(),
                settings: row.settings.clone(),
            }),
        }
    }

    /// The draft's sentences against the answer's, if it was corrected.
    #[must_use]
    pub fn changes(&self) -> Option<&[SentenceChange]> {
        match self {
            Self::Instruction(row) if row.stop != StopReason::NotCorrected => Some(&row.changes),
            Self::Instruction(_) | Self::Knowledge(_) => None,
        }
    }

    /// The mean log-probability of the tokens of the corrected answer, if all of it is known.
    #[must_use]
    pub fn log_prob_per_token(&self) -> Option<f32> {
        let Self::Instruction(row) = self else { return None };
        let log_prob = row.steps.iter().map(|step| step.log_prob).sum::<Option<f32>>()?;
        let tokens = row.steps.iter().map(|step| step.tokens).sum::<usize>();
        (tokens > 0).then(|| log_prob / tokens as f32)
    }

    /// As LLaVA's training reads it.
    #[must_use]
    pub fn llava(&self) -> LlavaRecord {
        match self {
            Self::Instruction(row) => row.llava(),
            Self::Knowledge(row) => row.llava(),
        }
    }

    /// As the reference writes it, in Python's JSON.
    ///
    /// # Errors
    ///
    /// If it cannot be serialized.
    pub fn reference(&self) -> serde_json::Result<String> {
        match self {
            Self::Instruction(row) => row.reference(),
            Self::Knowledge(row) => row.reference(),
        }
    }
}

impl From<InstructionSample> for Row {
    fn from(row: InstructionSample) -> Self {
        Self::Instruction(row)
    }
}

impl From<KnowledgeSample> for Row {
    fn from(row: KnowledgeSample) -> Self {
        Self::Knowledge(row)
    }
}
