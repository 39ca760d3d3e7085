//! What came of a run, for its end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use vigc_pipeline::vigc::{Record, Rejection, SkippedImage};

/// What came of a run.
pub(crate) struct Summary {
    begun: Instant,
    pub(crate) rows: usize,
    /// Nothing where answers are not corrected.
    changed: Option<usize>,
    rejected: BTreeMap<String, usize>,
    skipped: Vec<(String, String)>,
}

impl Default for Summary {
    fn default() -> Self {
        let (rejected, skipped) = (BTreeMap::new(), Vec::new());
        Self { begun: Instant::now(), rows: 0, changed: None, rejected, skipped }
    }
}

impl Summary {
    pub(crate) fn add(&mut self, record: Record) {
        match record {
            Record::Sample(sample) => {
                self.rows += 1;
                *self.changed.get_or_insert_default() += usize::from(sample.is_changed());
            }
            Record::Rejected(rejected) => self.reject(rejected.reason),
            Record::Skipped(skipped) => self.skip(skipped),
        }
    }

    pub(crate) fn reject(&mut self, reason: Rejection) {
        *self.rejected.entry(reason.to_string()).or_default() += 1;
    }

    pub(crate) fn skip(&mut self, skipped: SkippedImage) {
        self.skipped.push((skipped.image, skipped.skipped));
    }

    pub(crate) fn print(&self, output: &Path, rejected: &Path) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = self.rows as f64 / seconds.max(1e-3);
        println!(
            "\n{} rows in {seconds:.1} s ({rate:.1}/s){} -> {}",
            self.rows,
            self.changed
                .map_or_else(String::new, |rows| format!(", {rows} changed by the correction")),
            output.display()
        );
        if !self.rejected.is_empty() || !self.skipped.is_empty() {
            let texts = self.rejected.values().sum::<usize>();
            let files = self.skipped.len();
            println!("{texts} texts rejected, {files} files skipped -> {}", rejected.display());
        }
        for (reason, count) in &self.rejected {
            println!("  rejected {count}: {reason}");
        }
        for (image, reason) in &self.skipped {
            println!("  skipped {image}: {reason}");
        }
    }
}
