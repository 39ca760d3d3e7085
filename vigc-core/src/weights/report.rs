//! What a load did, and how much of it must succeed.

/// How to treat parameters that the checkpoint lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Every parameter must be in the checkpoint.
    Strict,
    /// Parameters may be missing: fine-tuned checkpoints hold only what was trained.
    Partial,
}

/// What a load did.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoadReport {
    /// Parameters that received a value.
    pub applied: Vec<String>,
    /// Parameters that kept their value.
    pub missing: Vec<String>,
    /// Tensors that no parameter asked for, renamed.
    pub unused: Vec<String>,
}
