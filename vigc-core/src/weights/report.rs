//! What a load did, and how much of it must succeed.

use std::path::{Path, PathBuf};

/// How to treat parameters that the checkpoint lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Every parameter must be in the checkpoint.
    Strict,
    /// Parameters may be missing: fine-tuned checkpoints hold only what was trained.
    Partial,
}

/// What a load did with a checkpoint.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoadReport {
    /// The file or folder.
    pub path: PathBuf,
    /// Parameters that received a value.
    pub applied: Vec<String>,
    /// Tensors that a later layer has, too, renamed.
    pub overwritten: Vec<String>,
    /// Parameters that no layer has; of several layers, the last one's report names them.
    pub missing: Vec<String>,
    /// Tensors that no parameter asked for, renamed.
    pub unused: Vec<String>,
}

impl LoadReport {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }
}
