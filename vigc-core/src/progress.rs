//! How far a long task is: one type for loading weights, downloads and everything above.

use std::fmt;
use std::sync::Arc;

/// Tells a function of the caller how far a task is.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::Arc;
/// use vigc_core::progress::Progress;
///
/// let seen = Arc::new(AtomicU64::new(0));
/// let progress = Progress::new({
///     let seen = Arc::clone(&seen);
///     move |update| seen.store(update.done, Ordering::Relaxed)
/// });
/// progress.report("model.safetensors", 10, 16);
/// assert_eq!(seen.load(Ordering::Relaxed), 10);
/// ```
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Function>>);

type Function = dyn Fn(Update<'_>) + Send + Sync;

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update<'a> {
    /// The name of the task, for example of the file that is downloaded.
    pub task: &'a str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is to do, in the same unit.
    pub total: u64,
}

impl Progress {
    /// Calls a function with every update. It may be called by several threads.
    pub fn new(function: impl Fn(Update<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(function)))
    }

    /// Tells nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Reports the state of a task.
    pub fn report(&self, task: &str, done: u64, total: u64) {
        if let Some(function) = &self.0 {
            function(Update { task, done, total });
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(..)" } else { "Progress(none)" })
    }
}
