//! VIGC: generation and correction of visual instruction data, training and evaluation.

pub mod data;
#[cfg(feature = "train")]
pub mod train;
#[cfg(feature = "scenes")]
pub mod scenes;
