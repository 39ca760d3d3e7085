//! Data sets: readers, rows of prompts and answers, and mixtures of them.

mod dataset;
mod error;
mod mixture;
#[cfg(feature = "scenes")]
pub mod scenes;
mod section;
pub mod splice;

pub use dataset::{ImageSource, InstructionDataset, InstructionRow};
pub use error::DataError;
pub use mixture::Mixture;
pub use section::DataSection;
