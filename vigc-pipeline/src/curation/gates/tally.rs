//! What a gate was asked and what it dropped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Outcome, Reason};
use crate::curation::Row;
use crate::prompt::Task;

/// Dropped rows that are kept as examples, of each gate.
const EXAMPLES: usize = 3;

/// What a gate was asked and what it dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReport {
    /// The gate.
    pub gate: String,
    /// Whether it was on.
    pub enabled: bool,
    /// Rows that it was asked about.
    pub checked: u64,
    /// Rows that lack what it is about, and passed.
    pub not_judged: u64,
    /// Rows that it dropped.
    pub dropped: u64,
    /// Of these, how many for each reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first rows that it dropped, of different reasons where there are.
    pub examples: Vec<Dropped>,
}

/// A row that was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
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

/// The counts of one gate.
#[derive(Debug, Default)]
pub(super) struct Tally {
    checked: u64,
    not_judged: u64,
    reasons: BTreeMap<&'static str, u64>,
    /// The first rows of each reason.
    examples: BTreeMap<&'static str, Vec<Dropped>>,
}

impl Tally {
    pub(super) fn add(&mut self, row: &Row, outcome: &Outcome) {
        self.checked += 1;
        match outcome {
            Outcome::Passed => {}
            Outcome::NotJudged => self.not_judged += 1,
            Outcome::Dropped(reason) => {
                *self.reasons.entry(reason.name).or_default() += 1;
                let examples = self.examples.entry(reason.name).or_default();
                if examples.len() < EXAMPLES {
                    examples.push(dropped(row, reason));
                }
            }
        }
    }

    pub(super) fn report(self, gate: &str, enabled: bool) -> GateReport {
        let reasons = self.reasons.into_iter().map(|(name, count)| (name.to_owned(), count));
        let reasons = reasons.collect::<BTreeMap<_, _>>();
        // The first of each reason, then the second of each.
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

fn dropped(row: &Row, reason: &Reason) -> Dropped {
    Dropped {
        image_id: row.image_id().to_owned(),
        task: row.task(),
        question: row.question().to_owned(),
        answer: row.answer().to_owned(),
        reason: reason.name.to_owned(),
        detail: reason.detail.clone(),
    }
}
