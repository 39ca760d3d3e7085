//! Measuring: estimates with their uncertainty, and the suites that make them.

pub mod interval;
#[cfg(feature = "scenes")]
pub mod scenes;
