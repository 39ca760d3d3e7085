//! Whether the correction agrees with the draft.

use serde::{Deserialize, Serialize};

use super::{Gate, Outcome};
use crate::curation::Row;
use crate::vigc::diff;

/// The settings of [`Agreement`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgreementSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// The smallest share of the draft's sentences that the correction left as they were.
    pub least_kept: f64,
    /// Whether rows are dropped whose correction neither kept nor changed one sentence of the draft.
    pub drop_contradicted: bool,
}

impl Default for AgreementSettings {
    fn default() -> Self {
        Self { enabled: true, least_kept: 0.0, drop_contradicted: true }
    }
}

/// Drops rows whose correction agrees too little with the draft: the model, asked twice, said two things.
///
/// Rows that were not corrected are not judged.
#[derive(Debug)]
pub struct Agreement {
    settings: AgreementSettings,
}

impl Agreement {
    /// With this threshold.
    #[must_use]
    pub fn new(settings: AgreementSettings) -> Self {
        Self { settings }
    }
}

impl Gate for Agreement {
    fn check(&mut self, row: &Row) -> Outcome {
        let Some(changes) = row.changes() else { return Outcome::NotJudged };
        let count = |verdict| changes.iter().filter(|change| change.verdict == verdict).count();
        let (kept, changed) = (count(diff::Verdict::Kept), count(diff::Verdict::Changed));
        let draft = kept + changed + count(diff::Verdict::Dropped);
        if draft == 0 {
            return Outcome::NotJudged;
        }
        if self.settings.drop_contradicted && kept + changed == 0 {
            return Outcome::dropped("contradicted", format!("none of {draft} sentences is left"));
        }
        if (kept as f64) < self.settings.least_kept * draft as f64 {
            let least = self.settings.least_kept;
            return Outcome::dropped("few_kept", format!("{kept} of {draft}, at least {least}"));
        }
        Outcome::Passed
    }
}
