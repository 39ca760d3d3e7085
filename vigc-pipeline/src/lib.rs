//! VIGC: generation and correction of visual instruction data.
#![forbid(unsafe_code)]

pub mod any_model;
pub mod backend;
pub mod curation;
pub mod data;
mod error;
pub mod instruct_blip;
pub mod llava;
pub mod model;
pub mod prelude;
pub mod prompt;
pub mod vigc;
pub mod visual_lm;

pub use error::{Error, Result, error_text};
pub use vigc_core as core;
pub use vigc_llm as llm;
pub use vigc_vision as vision;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
