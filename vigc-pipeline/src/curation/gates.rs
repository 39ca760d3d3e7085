//! What rows have to meet to be kept.
//!
//! Gates are asked in a fixed order, and the first that objects drops the row: picture, validity, length,
//! agreement, log-probability, exact duplicates, near duplicates. The last two come last because they compare
//! with rows that are kept: a row that another gate drops takes no other row with it.
//!
//! Settings are TOML, a table for each gate; what is not named keeps its default:
//!
//! ```
//! let settings: vigc_pipeline::curation::gates::GateSettings = toml::from_str(r#"
//!     log_prob.least = -0.7
//!     near_duplicates.enabled = false
//!     [length.detail]
//!     answer = [20, 300]
//! "#).unwrap();
//! assert_eq!(settings.length.detail.answer, [20, 300]);
//! assert!(settings.validity.enabled && !settings.near_duplicates.enabled);
//! ```

mod agreement;
mod exact;
mod length;
mod log_prob;
mod near;
mod picture;
mod settings;
mod tally;
mod validity;

use std::fmt;

pub use agreement::{Agreement, AgreementSettings};
pub use exact::{ExactDuplicates, ExactSettings};
pub use length::{Length, LengthSettings, Words};
pub use log_prob::{LogProb, LogProbSettings};
pub use near::{NearDuplicates, NearSettings, ShingleCounts, shingles};
pub use picture::{Picture, PictureSettings};
pub use settings::GateSettings;
pub use tally::{Dropped, GateReport};
pub use validity::{Validity, ValiditySettings};

use self::tally::Tally;
use super::{Pictures, Row};

/// A rule that rows have to meet.
pub trait Gate: fmt::Debug {
    /// What it says about a row.
    fn check(&mut self, row: &Row) -> Outcome;

    /// Takes note of a row that no gate dropped, the one that was checked last.
    fn keep(&mut self, _row: &Row) {}
}

/// What a gate says about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The row meets the rule.
    Passed,
    /// The row lacks what the rule is about, and passes.
    NotJudged,
    /// The row does not meet the rule.
    Dropped(Reason),
}

/// Why a gate drops a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The name that reasons are counted by.
    pub name: &'static str,
    /// What was found in this row.
    pub detail: String,
}

impl Outcome {
    /// Drops a row.
    pub(super) fn dropped(name: &'static str, detail: impl Into<String>) -> Self {
        Self::Dropped(Reason { name, detail: detail.into() })
    }
}

/// The gates of a data set, with counts of what each of them dropped.
#[derive(Debug)]
pub struct Gates {
    gates: Vec<Counted>,
}

/// A gate, unless it is off, with its counts.
#[derive(Debug)]
struct Counted {
    name: &'static str,
    gate: Option<Box<dyn Gate>>,
    tally: Tally,
}

impl Gates {
    /// The gates that the settings switch on. `counts` are those of all rows' shingles.
    #[must_use]
    pub fn new(settings: &GateSettings, pictures: &Pictures, counts: ShingleCounts) -> Self {
        let GateSettings {
            picture,
            validity,
            length,
            agreement,
            log_prob,
            exact_duplicates,
            near_duplicates,
        } = settings;
        let gates = [
            counted("picture", picture.enabled, || Picture::new(pictures.clone())),
            counted("validity", validity.enabled, || Validity::new(*validity)),
            counted("length", length.enabled, || Length::new(*length)),
            counted("agreement", agreement.enabled, || Agreement::new(*agreement)),
            counted("log_prob", log_prob.enabled, || LogProb::new(*log_prob)),
            counted("exact_duplicates", exact_duplicates.enabled, || {
                ExactDuplicates::new(*exact_duplicates)
            }),
            counted("near_duplicates", near_duplicates.enabled, || {
                NearDuplicates::new(*near_duplicates, counts)
            }),
        ];
        Self { gates: gates.into() }
    }

    /// Asks the gates about a row: the name of the one that drops it, and why, or nothing if it is kept.
    pub fn sift(&mut self, row: &Row) -> Option<(&'static str, Reason)> {
        for Counted { name, gate, tally } in &mut self.gates {
            let Some(gate) = gate else { continue };
            let outcome = gate.check(row);
            tally.add(row, &outcome);
            if let Outcome::Dropped(reason) = outcome {
                return Some((name, reason));
            }
        }
        for gate in self.gates.iter_mut().filter_map(|counted| counted.gate.as_mut()) {
            gate.keep(row);
        }
        None
    }

    /// What each gate was asked and dropped, in their order.
    #[must_use]
    pub fn reports(self) -> Vec<GateReport> {
        let gates = self.gates.into_iter();
        gates.map(|Counted { name, gate, tally }| tally.report(name, gate.is_some())).collect()
    }
}

fn counted<G: Gate + 'static>(
    name: &'static str,
    enabled: bool,
    gate: impl FnOnce() -> G,
) -> Counted {
    let gate = enabled.then(|| Box::new(gate()) as Box<dyn Gate>);
    Counted { name, gate, tally: Tally::default() }
}
