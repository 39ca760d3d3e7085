//! VIGC: generation and correction of visual instruction data, training and evaluation.

pub mod data;
mod error;
pub mod instruct_blip;
#[cfg(feature = "scenes")]
pub mod scenes;
#[cfg(feature = "train")]
pub mod train;

pub use error::{Error, Result};
