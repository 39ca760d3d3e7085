//! How far a load has come.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hears how many bytes of how many have been read, before each tensor.
#[derive(Clone)]
pub struct LoadProgress(Arc<dyn Fn(u64, u64) + Send + Sync>);

impl LoadProgress {
    /// Calls a function with the bytes read so far and with all of them.
    pub fn new(hear: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }
}

impl fmt::Debug for LoadProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadProgress").finish_non_exhaustive()
    }
}

/// Counts bytes of one load.
pub(super) struct Counter {
    progress: LoadProgress,
    done: AtomicU64,
    total: u64,
}

impl Counter {
    pub(super) fn new(progress: LoadProgress, total: u64) -> Self {
        Self { progress, done: AtomicU64::new(0), total }
    }

    /// A tensor of so many bytes is about to be read.
    pub(super) fn count(&self, bytes: usize) {
        let done = self.done.fetch_add(bytes as u64, Ordering::Relaxed);
        (self.progress.0)(done, self.total);
    }

    pub(super) fn finish(&self) {
        (self.progress.0)(self.total, self.total);
    }
}
