//! Tests of curation.

mod cards;
mod exports;
mod gates;
#[cfg(feature = "parquet")]
mod parquet;
mod runs;
mod sample_rows;
