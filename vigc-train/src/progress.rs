//! Who listens to a run.

/// What one update did, averaged over its micro-steps.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UpdateReport {
    /// Updates done so far.
    pub update: u64,
    /// Updates in all.
    pub total: u64,
    /// The learning rate that was applied.
    pub learning_rate: f64,
    /// The loss.
    pub loss: f64,
    /// Other measurements, such as the accuracy.
    pub metrics: std::collections::BTreeMap<String, f64>,
    /// Samples per second.
    pub samples_per_second: f64,
    /// The part of the time spent waiting for batches.
    pub waiting: f64,
}

/// Follows a run.
pub trait Progress {
    /// The run starts, or goes on after `done` updates.
    fn started(&mut self, stage: &str, done: u64, total: u64);

    /// An update was made.
    fn updated(&mut self, report: &UpdateReport);

    /// A checkpoint was written.
    fn saved(&mut self, update: u64) {
        let _ = update;
    }

    /// Held-out data was measured.
    fn validated(&mut self, update: u64, metrics: &std::collections::BTreeMap<String, f64>) {
        let _ = (update, metrics);
    }

    /// Something slow besides training advanced, such as caching features.
    fn preparing(&mut self, what: &str, done: u64, total: u64) {
        let _ = (what, done, total);
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn started(&mut self, _stage: &str, _done: u64, _total: u64) {}

    fn updated(&mut self, _report: &UpdateReport) {}
}
