//! VIGC: generation and correction of visual instruction data, training and evaluation.

mod error;
pub mod instruct_blip;

pub use error::{Error, Result};
