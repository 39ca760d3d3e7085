//! What was measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one trained model scored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Whose it is: `llava`, `instructblip` or, where correction itself is measured, `vigc`.
    pub(crate) student: String,
    /// What it was trained on, or how it corrected.
    pub(crate) condition: String,
    /// The seed.
    pub(crate) seed: u64,
    /// Numbers by name, the split first: `test/conv`.
    pub(crate) metrics: BTreeMap<String, f64>,
}
