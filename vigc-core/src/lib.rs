//! What the VIGC crates share: checkpoints, batches of tokens, configuration files and tensor pieces.
//!
//! | module | what it holds |
//! |---|---|
//! | [`weights`] | checkpoints: open, rename, load, report, save; with the feature `hub`, fetch |
//! | [`files`] | whole files: JSON with the path in every error, atomic writes |
//! | [`json_lines`] | JSON Lines files with a lock, read and written row by row |
//! | [`random`] | random numbers that a resumed run draws again |
//! | [`kernels`] | fused operations for the CPU |
//! | [`random`] | randomness that is a function of a seed and a position |
//! | [`nn`] | attention masks and positions that several models need |
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

pub mod config;
mod error;
pub mod files;
pub mod json_lines;
pub mod kernels;
pub mod nn;
pub mod random;
mod token_batch;
pub mod weights;

pub use error::{Error, Result};
pub use token_batch::TokenBatch;
