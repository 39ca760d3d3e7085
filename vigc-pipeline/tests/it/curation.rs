//! From rows to a data set.

mod cards;
mod exports;
mod gates;
mod made;
#[cfg(feature = "parquet")]
mod parquet;
mod runs;
