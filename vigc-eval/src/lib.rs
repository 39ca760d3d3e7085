//! Measuring: estimates with their uncertainty, and the suites that make them.

pub mod answers;
pub mod chair;
pub mod interval;
mod json_lines;
#[cfg(feature = "judge")]
pub mod judge;
pub mod llava_bench;
#[cfg(feature = "mmbench")]
pub mod mmbench;
pub mod pope;
pub mod report;
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod vqa;
