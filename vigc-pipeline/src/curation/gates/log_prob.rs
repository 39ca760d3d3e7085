//! Whether the model was sure of the answer.

use serde::{Deserialize, Serialize};

use super::{Gate, Outcome};
use crate::curation::Row;

/// The settings of [`LogProb`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogProbSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// The smallest mean log-probability of the answer's tokens, in nats.
    pub least: f32,
}

impl Default for LogProbSettings {
    fn default() -> Self {
        Self { enabled: true, least: -1.0 }
    }
}

/// Drops rows whose corrected answer the model itself thought unlikely, token by token.
///
/// Rows that were not corrected, and those of beam search under the reference's rules where no
/// log-probability is known, are not judged.
#[derive(Debug)]
pub struct LogProb {
    settings: LogProbSettings,
}

impl LogProb {
    /// With this threshold.
    #[must_use]
    pub fn new(settings: LogProbSettings) -> Self {
        Self { settings }
    }
}

impl Gate for LogProb {
    fn check(&mut self, row: &Row) -> Outcome {
        let least = self.settings.least;
        match row.log_prob_per_token() {
            None => Outcome::NotJudged,
            Some(found) if found >= least => Outcome::Passed,
            Some(found) => {
                Outcome::dropped("unlikely", format!("{found:.2} per token, at least {least}"))
            }
        }
    }
}
