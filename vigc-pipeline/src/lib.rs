//! VIGC: generation and correction of visual instruction data, training and evaluation.

pub mod backend;
mod error;
#[cfg(feature = "scenes")]
pub mod eval;
pub mod instruct_blip;
pub mod prompt;
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod vigc;

pub use error::{Error, Result};
