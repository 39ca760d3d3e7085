//! Benchmarks of the VIGC crates.
//!
//! `cargo bench` at the root of the workspace runs [`suite`]; `benches/README.md` says what it measures and how to
//! read its table. The other modules are shared with the benches that compare with other programs and libraries.

pub mod machine;
pub mod random_weights;
pub mod suite;

/// The result of a program that only reports its errors.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
