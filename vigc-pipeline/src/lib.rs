//! VIGC: generation and correction of visual instruction data, training and evaluation.

mod error;
pub mod eval;
pub mod instruct_blip;
pub mod prompt;
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod vigc;

pub use error::{Error, Result};
