//! How answers are corrected.

use serde::{Deserialize, Serialize};

/// Settings of the correction loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// How much of a text is accepted at a time.
    pub unit: Unit,
    /// How often.
    pub steps: Steps,
    /// What the model is asked with.
    pub style: PromptStyle,
    /// What is accepted at the last step.
    pub last_step: LastStep,
    /// Whose rules are followed.
    pub rules: LoopRules,
    /// Where a beam search may end the texts of which a unit is kept.
    #[serde(skip_serializing_if = "BeamEnds::is_text", default)]
    pub beam_ends: BeamEnds,
}

/// How much of a generated text is accepted at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A sentence.
    Sentence,
    /// A paragraph.
    Paragraph,
}

/// How many units an answer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steps {
    /// A fixed number, fewer only if nothing new is generated.
    Exactly(usize),
    /// Until the model ends its answer.
    UntilEnd {
        /// The most.
        at_most: usize,
    },
}

/// What the model is asked with while it corrects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptStyle {
    /// VIG's instruction, the question and the answer so far.
    Vig,
    /// The bare question and the answer so far.
    Vic,
}

/// What is accepted at the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastStep {
    /// One unit, as at every step.
    OneUnit,
    /// All that was generated, so that the answer is not cut (`last_infer_all`).
    Everything,
}

/// Whose rules are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopRules {
    /// Ours: robust sentences, no repetition, empty questions and answers rejected.
    Strict,
    /// Those of the upstream program, quirks included. `docs/parity.md` lists them.
    #[serde(rename = "reference")]
    Upstream,
}

/// Where a beam search ends a text of which only the first unit is kept.
///
/// Greedy texts and samples always end at the unit, which changes nothing. A beam that ends there competes with others
/// by the probability of the unit and not by that of the whole text, so other units may win. The reference's loop has
/// whole texts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeamEnds {
    /// At the end of the whole text, as the reference does.
    #[default]
    Text,
    /// At the end of the unit: less to write, and sometimes other rows.
    Unit,
}

impl BeamEnds {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

impl Correction {
    /// No correction: VIG's answers as they are.
    #[must_use]
    pub const fn none() -> Self {
        Self::sentences(0)
    }

    /// A fixed number of sentences.
    #[must_use]
    pub const fn sentences(steps: usize) -> Self {
        Self {
            unit: Unit::Sentence,
            steps: Steps::Exactly(steps),
            style: PromptStyle::Vig,
            last_step: LastStep::OneUnit,
            rules: LoopRules::Strict,
            beam_ends: BeamEnds::Text,
        }
    }

    /// A fixed number of paragraphs.
    #[must_use]
    pub const fn paragraphs(steps: usize) -> Self {
        Self { unit: Unit::Paragraph, ..Self::sentences(steps) }
    }

    /// Sentences until the model ends its answer.
    #[must_use]
    pub const fn until_end(at_most: usize) -> Self {
        Self { steps: Steps::UntilEnd { at_most }, ..Self::sentences(0) }
    }

    /// The upstream program's loop. It ran with 4 sentences.
    #[must_use]
    pub const fn upstream(steps: usize) -> Self {
        Self { rules: LoopRules::Upstream, ..Self::sentences(steps) }
    }

    /// With another unit.
    #[must_use]
    pub const fn with_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// With another style of prompts.
    #[must_use]
    pub const fn with_style(self, style: PromptStyle) -> Self {
        Self { style, ..self }
    }

    /// With another last step.
    #[must_use]
    pub const fn with_last_step(self, last_step: LastStep) -> Self {
        Self { last_step, ..self }
    }

    /// With another end of beams.
    #[must_use]
    pub const fn with_beam_ends(self, beam_ends: BeamEnds) -> Self {
        Self { beam_ends, ..self }
    }

    /// The most steps there can be.
    #[must_use]
    pub const fn most_steps(&self) -> usize {
        match self.steps {
            Steps::Exactly(steps) | Steps::UntilEnd { at_most: steps } => steps,
        }
    }
}

impl Default for Correction {
    /// Sentences until the model ends its answer, at most 16.
    fn default() -> Self {
        Self::until_end(16)
    }
}
