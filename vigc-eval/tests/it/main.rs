//! Integration tests of `vigc-eval`: one binary with a module for each topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

mod answers;
mod chair;
#[cfg(feature = "judge")]
mod judge;
mod llava_bench;
#[cfg(feature = "mmbench")]
mod mmbench;
mod pope;
mod registry;
#[cfg(feature = "scenes")]
mod scenes;
mod vqa;
