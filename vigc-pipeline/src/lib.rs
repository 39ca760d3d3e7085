//! VIGC: generation and correction of visual instruction data, training and evaluation.

mod error;
pub mod prompt;
pub mod vigc;

pub use error::{Error, Result};
