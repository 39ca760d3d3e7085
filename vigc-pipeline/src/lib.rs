//! VIGC: generation and correction of visual instruction data, training and evaluation.
#![forbid(unsafe_code)]

pub mod backend;
pub mod curation;
pub mod data;
mod error;
pub mod eval;
pub mod instruct_blip;
pub mod llava;
mod model;
pub mod prelude;
pub mod prompt;
#[cfg(feature = "scenes")]
pub mod scenes;
#[cfg(feature = "train")]
pub mod train;
pub mod vigc;

pub use error::{Error, Result};
pub use vigc_core as core;
pub use vigc_llm as llm;
pub use vigc_vision as vision;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
