//! VIGC: generation and correction of visual instruction data, training and evaluation.

#[cfg(feature = "scenes")]
pub mod scenes;
