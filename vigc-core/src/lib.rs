#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`weights`] | checkpoints: open, rename, load, report, save; with the feature `hub`, download |
//! | [`quantization`] | the precisions of weights, and the block formats of 8 and 4 bits |
//! | [`nn`] | a linear layer of any precision, a layer norm, masks and positions |
//! | [`kernels`] | fused operations for the CPU; on other devices, the same operations composed of burn's own |
//! | [`files`] | whole files: JSON with the path in every error, atomic writes |
//! | [`json_lines`] | JSON Lines files, locked, written and read row by row |
//! | [`random`] | random numbers that a resumed run draws again |
//! | [`progress`] | the type that every long task reports its progress with |
//! | [`retry`] | when a failed request is repeated |
//!
//! Text crosses from the language side to the vision side as a [`TokenBatch`]:
//!
//! ```
//! use vigc_core::TokenBatch;
//!
//! let batch = TokenBatch::pad_right(&[vec![101, 7, 102], vec![101, 102]], 0);
//! assert_eq!(batch.dims(), [2, 3]);
//! assert_eq!(batch.row(1), [101, 102]);
//! ```

mod error;
pub mod files;
pub mod json_lines;
pub mod kernels;
pub mod nn;
pub mod progress;
pub mod quantization;
pub mod random;
pub mod retry;
mod token_batch;
pub mod weights;

pub use error::{Error, Result};
pub use token_batch::TokenBatch;
