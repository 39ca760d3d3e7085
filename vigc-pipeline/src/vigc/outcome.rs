//! What a sample comes to: its texts, or why there are none.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::diff::{SentenceChange, Verdict, sentence_changes, sentence_list_changes};
use super::sentence;
use crate::prompt::qa_text::Malformed;

/// Why nothing more is added to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// Nothing was to be corrected.
    NotCorrected,
    /// The last step was reached.
    LastStep,
    /// The model ended its answer after the sentence that was accepted.
    ModelEnded,
    /// The model had nothing to add.
    NothingGenerated,
    /// All that the model generated had been said.
    Repeated,
    /// The model's text broke off before its first sentence ended.
    Truncated,
}

/// Why a sample is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// VIG's text is not a question with an answer.
    Malformed(Malformed),
    /// VIG's text broke off.
    TruncatedDraft,
    /// VIC wrote nothing that could be accepted, for this reason.
    NoCorrection(StopReason),
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(reason) => reason.fmt(f),
            Self::TruncatedDraft => f.write_str("the question breaks off"),
            Self::NoCorrection(StopReason::Truncated) => f.write_str("the correction breaks off"),
            Self::NoCorrection(_) => f.write_str("empty correction"),
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is another prompt.
    Continue,
    /// The answer is complete.
    Stopped(StopReason),
    /// There will be no row.
    Rejected(Rejection),
}

/// A finished sample's texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// VIG's question.
    pub question: String,
    /// VIG's answer.
    pub draft: String,
    /// The summed log-probability of VIG's text.
    pub draft_log_prob: Option<f32>,
    /// VIC's whole answer when it was asked for the first time.
    pub one_shot: Option<String>,
    /// The corrected answer, or the draft if nothing was corrected.
    pub answer: String,
    /// The parts of the corrected answer.
    pub steps: Vec<CorrectionStep>,
    /// Why there are no more of them.
    pub stop: StopReason,
    /// The draft's sentences against the corrected answer's.
    pub changes: Vec<SentenceChange>,
    /// The last prompt with its answer.
    pub whole_text: String,
}

/// A rejected sample's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Rejection,
    /// The text that was rejected.
    pub text: String,
}

/// A sentence or paragraph that VIC wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorrectionStep {
    /// The step, counted from 1.
    pub step: usize,
    /// The text.
    pub text: String,
    /// The summed log-probability of its tokens.
    pub log_prob: Option<f32>,
    /// How many tokens it has.
    pub tokens: usize,
    /// How many sentences before it were left out because they had been said.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub repeats_skipped: usize,
    /// What it is to the draft. Nothing where its text is empty, which only the reference's rules
    /// allow.
    pub verdict: Option<Verdict>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Compares a corrected answer with its draft and marks the steps with the verdicts.
pub(super) fn compare(
    draft: &str,
    answer: &str,
    steps: &mut [CorrectionStep],
) -> Vec<SentenceChange> {
    let count = |text: &str| sentence::sentences(text).len();
    let one_each = steps.iter().all(|step| count(&step.text) == 1);
    if !one_each {
        mark_by_parts(draft, steps);
        return sentence_changes(draft, answer);
    }
    let cut = |text: &str| {
        let spans = sentence::sentences(text).into_iter();
        spans.map(|span| text[span.bytes].to_owned()).collect::<Vec<_>>()
    };
    let corrected = steps.iter().map(|step| step.text.clone()).collect::<Vec<_>>();
    let changes = sentence_list_changes(&cut(draft), &corrected);
    let verdicts = changes.iter().filter(|change| change.corrected.is_some());
    for (step, change) in steps.iter_mut().zip(verdicts) {
        step.verdict = Some(change.verdict);
    }
    changes
}

/// Marks steps that are not one sentence each, such as paragraphs, by aligning them as wholes.
fn mark_by_parts(draft: &str, steps: &mut [CorrectionStep]) {
    let parts = sentence::paragraphs(draft).into_iter();
    let parts = parts.map(|span| draft[span.bytes].to_owned()).collect::<Vec<_>>();
    let said = |step: &&mut CorrectionStep| !step.text.trim().is_empty();
    let texts = steps.iter_mut().filter(said).map(|step| step.text.clone()).collect::<Vec<_>>();
    let changes = sentence_list_changes(&parts, &texts);
    let verdicts = changes.iter().filter(|change| change.corrected.is_some());
    for (step, change) in steps.iter_mut().filter(said).zip(verdicts) {
        step.verdict = Some(change.verdict);
    }
}
