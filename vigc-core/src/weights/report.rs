//! What a load did, and how much of it must succeed.

use std::path::PathBuf;

use super::Checkpoint;

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
    /// Tensors that the file holds a second time, under their names there; see [`Checkpoint::unify`].
    pub copies: Vec<String>,
    /// Parameters that no layer has; of several layers, the last one's report names them.
    pub missing: Vec<String>,
    /// Tensors that no parameter asked for, renamed.
    pub unused: Vec<String>,
}

impl LoadReport {
    pub(super) fn of(checkpoint: &Checkpoint) -> Self {
        let (path, copies) = (checkpoint.path.clone(), checkpoint.copies.clone());
        Self { path, copies, ..Self::default() }
    }
}
