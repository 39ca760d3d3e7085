//! VIGC: generation and correction of visual instruction data, training and evaluation.

mod error;
pub mod instruct_blip;
#[cfg(feature = "scenes")]
pub mod scenes;

pub use error::{Error, Result};
