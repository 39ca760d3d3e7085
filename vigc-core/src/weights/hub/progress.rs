//! Whoever watches a download.

/// Hears how far a download is.
pub trait Progress {
    /// Of the file `file`, `done` bytes of `total` are there. The first call for a file has what an earlier run
    /// left; nothing is said about files that are in the cache.
    fn update(&mut self, file: &str, done: u64, total: u64);
}

impl<F: FnMut(&str, u64, u64)> Progress for F {
    fn update(&mut self, file: &str, done: u64, total: u64) {
        self(file, done, total);
    }
}

/// Nobody watches.
impl Progress for () {
    fn update(&mut self, _file: &str, _done: u64, _total: u64) {}
}
