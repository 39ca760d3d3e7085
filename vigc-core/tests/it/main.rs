//! Integration tests of `vigc-core`: one binary, one module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

mod broken;
#[cfg(feature = "hub")]
mod hub;
mod packed;
mod weights;
