//! The rules that rows must meet to be kept.
//!
//! Gates check a row in a fixed order, and the first one that objects drops it: picture, validity, length,
//! agreement, log-probability, exact duplicates, near duplicates. The two gates for duplicates come last because
//! they compare a row with the rows that were kept: a row that another gate drops never makes a later row a
//! duplicate.
//!
//! Settings are TOML with a table for each gate. Keys that are left out keep their defaults:
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

mod duplicates;
mod gate;
mod independent;
mod settings;
mod similar_sets;
mod validity;

pub use duplicates::{
    ExactDuplicateSettings, ExactDuplicates, NearDuplicateSettings, NearDuplicates, ShingleCounts,
    shingles,
};
pub use gate::{DroppedRow, Gate, GateReport, Outcome, Reason};
pub use independent::{
    Agreement, AgreementSettings, Length, LengthSettings, LogProb, LogProbSettings, Picture,
    PictureSettings, WordLimits,
};
pub use settings::GateSettings;
pub use validity::{Validity, ValiditySettings};

use self::gate::GateCounts;
use super::rows::{Pictures, Row};

/// The gates of a data set, with counts of what each of them dropped.
#[derive(Debug)]
pub struct Gates {
    gates: Vec<CountedGate>,
}

/// A gate with its counts. A gate that is off is only reported as such.
#[derive(Debug)]
struct CountedGate {
    name: &'static str,
    gate: Option<Box<dyn Gate>>,
    counts: GateCounts,
}

impl CountedGate {
    fn new<G: Gate + 'static>(name: &'static str, enabled: bool, gate: impl FnOnce() -> G) -> Self {
        let gate = enabled.then(|| Box::new(gate()) as Box<dyn Gate>);
        Self { name, gate, counts: GateCounts::default() }
    }
}

impl Gates {
    /// The gates that the settings enable. `counts` are the shingle counts of all rows, which
    /// [`NearDuplicates`] needs.
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
            CountedGate::new("picture", picture.enabled, || Picture::new(pictures.clone())),
            CountedGate::new("validity", validity.enabled, || Validity::new(*validity)),
            CountedGate::new("length", length.enabled, || Length::new(*length)),
            CountedGate::new("agreement", agreement.enabled, || Agreement::new(*agreement)),
            CountedGate::new("log_prob", log_prob.enabled, || LogProb::new(*log_prob)),
            CountedGate::new("exact_duplicates", exact_duplicates.enabled, || {
                ExactDuplicates::new(*exact_duplicates)
            }),
            CountedGate::new("near_duplicates", near_duplicates.enabled, || {
                NearDuplicates::new(*near_duplicates, counts)
            }),
        ];
        Self { gates: gates.into() }
    }

    /// Checks a row with every gate. Returns the name and the reason of the gate that drops it, or nothing if the row
    /// is kept.
    pub fn check(&mut self, row: &Row) -> Option<(&'static str, Reason)> {
        for CountedGate { name, gate, counts } in &mut self.gates {
            let Some(gate) = gate else { continue };
            let outcome = gate.check(row);
            counts.add(row, &outcome);
            if let Outcome::Dropped(reason) = outcome {
                return Some((name, reason));
            }
        }
        for gate in self.gates.iter_mut().filter_map(|counted| counted.gate.as_mut()) {
            gate.keep(row);
        }
        None
    }

    /// How many rows each gate checked and dropped, in the order of the gates.
    #[must_use]
    pub fn reports(self) -> Vec<GateReport> {
        let report = |CountedGate { name, gate, counts }| counts.report(name, gate.is_some());
        self.gates.into_iter().map(report).collect()
    }
}
