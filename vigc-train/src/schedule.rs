//! The learning rate: a linear warm-up, then a cosine.

use serde::{Deserialize, Serialize};

/// The reference's schedule, a pure function of the micro-step.
///
/// The cosine runs over all micro-steps from the first one on: it is not restarted when the warm-up
/// ends, so the rate steps down by a hair there.
///
/// ```
/// use vigc_train::Schedule;
///
/// let schedule = Schedule { warmup_rate: 1e-6, rate: 3e-5, min_rate: 1e-5, warmup: 1000, total: 60_000 };
/// assert_eq!(schedule.at(0), 1e-6);
/// assert!((schedule.at(500) - 1.55e-5).abs() < 1e-12);
/// assert!((schedule.at(30_000) - 2e-5).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The rate of the first micro-step.
    pub warmup_rate: f64,
    /// The rate at the end of the warm-up and the height of the cosine.
    pub rate: f64,
    /// The rate at the end.
    pub min_rate: f64,
    /// Micro-steps of warm-up.
    pub warmup: u64,
    /// Micro-steps in all.
    pub total: u64,
}

impl Schedule {
    /// The rate of a micro-step, counted from 0.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "step counts stay far below 2^52")]
    pub fn at(&self, micro_step: u64) -> f64 {
        if micro_step < self.warmup {
            let done = micro_step as f64 / self.warmup.max(1) as f64;
            return self.rate.min(self.warmup_rate + (self.rate - self.warmup_rate) * done);
        }
        let done = (micro_step as f64 / self.total.max(1) as f64).min(1.0);
        let cosine = (std::f64::consts::PI * done).cos();
        self.min_rate + 0.5 * (self.rate - self.min_rate) * (1.0 + cosine)
    }
}
