//! VIGC: generation and correction of visual instruction data, training and evaluation.

pub mod eval;
#[cfg(feature = "scenes")]
pub mod scenes;
