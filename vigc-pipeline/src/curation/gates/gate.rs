//! What a gate is, and the counts of its outcomes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::curation::rows::Row;
use crate::prompt::Task;

/// A rule that rows must meet.
pub trait Gate: fmt::Debug {
    /// Judges a row.
    fn check(&mut self, row: &Row) -> Outcome;

    /// Takes note that the row that was checked last is kept, because no gate dropped it.
    fn keep(&mut self, _row: &Row) {}
}

/// What a gate says about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The row meets the rule.
    Passed,
    /// The rule does not apply to the row, which passes.
    NotJudged,
    /// The row breaks the rule.
    Dropped(Reason),
}

/// Why a gate drops a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A short name, by which drops are counted.
    pub name: &'static str,
    /// What was found in this row.
    pub detail: String,
}

impl Outcome {
    pub(super) fn dropped(name: &'static str, detail: impl Into<String>) -> Self {
        Self::Dropped(Reason { name, detail: detail.into() })
    }
}

/// How many rows a gate checked and dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReport {
    /// The gate's name.
    pub gate: String,
    /// Whether it was enabled.
    pub enabled: bool,
    /// Rows that it checked.
    pub checked: u64,
    /// Rows that its rule does not apply to, and which passed.
    pub not_judged: u64,
    /// Rows that it dropped.
    pub dropped: u64,
    /// The dropped rows by reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first rows that it dropped, for different reasons if there are several.
    pub examples: Vec<DroppedRow>,
}

/// A row that was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedRow {
    /// The image's name.
    pub image_id: String,
    /// The task.
    pub task: Task,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// The name of the reason.
    pub reason: String,
    /// What was found.
    pub detail: String,
}

impl DroppedRow {
    fn new(row: &Row, reason: &Reason) -> Self {
        Self {
            image_id: row.image_id().to_owned(),
            task: row.task(),
            question: row.question().to_owned(),
            answer: row.answer().to_owned(),
            reason: reason.name.to_owned(),
            detail: reason.detail.clone(),
        }
    }
}

/// How many dropped rows a gate reports as examples.
const EXAMPLES: usize = 3;

/// The counts of one gate.
#[derive(Debug, Default)]
pub(super) struct GateCounts {
    checked: u64,
    not_judged: u64,
    reasons: BTreeMap<&'static str, u64>,
    /// The first rows that were dropped for each reason.
    examples: BTreeMap<&'static str, Vec<DroppedRow>>,
}

impl GateCounts {
    pub(super) fn add(&mut self, row: &Row, outcome: &Outcome) {
        self.checked += 1;
        match outcome {
            Outcome::Passed => {}
            Outcome::NotJudged => self.not_judged += 1,
            Outcome::Dropped(reason) => {
                *self.reasons.entry(reason.name).or_default() += 1;
                let examples = self.examples.entry(reason.name).or_default();
                if examples.len() < EXAMPLES {
                    examples.push(DroppedRow::new(row, reason));
                }
            }
        }
    }

    pub(super) fn report(self, gate: &str, enabled: bool) -> GateReport {
        let reasons = self.reasons.into_iter().map(|(name, count)| (name.to_owned(), count));
        let reasons = reasons.collect::<BTreeMap<_, _>>();
        // The first row of every reason comes before the second row of any.
        let nth = |index: usize| self.examples.values().filter_map(move |rows| rows.get(index));
        GateReport {
            gate: gate.to_owned(),
            enabled,
            checked: self.checked,
            not_judged: self.not_judged,
            dropped: reasons.values().sum(),
            reasons,
            examples: (0..EXAMPLES).flat_map(nth).take(EXAMPLES).cloned().collect(),
        }
    }
}
