//! What a run tells its caller while it goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The metrics of one update, averaged over its micro-steps. A line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateReport {
    /// The number of updates done.
    pub update: u64,
    /// The number of all updates.
    pub total: u64,
    /// The learning rate of the update.
    pub learning_rate: f64,
    /// The loss.
    pub loss: f64,
    /// Other metrics, such as the accuracy.
    pub metrics: BTreeMap<String, f64>,
    /// Samples per second.
    pub samples_per_second: f64,
    /// The fraction of the time that was spent waiting for batches.
    pub waiting: f64,
}

/// A listener to a run. All methods but the first two have empty defaults.
pub trait RunListener {
    /// The run starts, or continues after `done` updates.
    fn started(&mut self, stage: &str, done: u64, total: u64);

    /// An update is done.
    fn updated(&mut self, report: &UpdateReport);

    /// A checkpoint is written.
    fn saved(&mut self, update: u64) {
        let _ = update;
    }

    /// The metrics of held-out data are known.
    fn validated(&mut self, update: u64, metrics: &BTreeMap<String, f64>) {
        let _ = (update, metrics);
    }

    /// A slow preparation, such as computing image features, advances.
    fn preparing(&mut self, what: &str, done: u64, total: u64) {
        let _ = (what, done, total);
    }
}

/// A listener that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl RunListener for Silent {
    fn started(&mut self, _stage: &str, _done: u64, _total: u64) {}

    fn updated(&mut self, _report: &UpdateReport) {}
}
