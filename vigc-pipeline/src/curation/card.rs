//! The data card: what a data set holds, what was left out of it, and how it was made.
//!
//! A [`Card`] is written twice. `card.json` holds it as it is; `README.md` shows the same numbers to people and, in its
//! front matter, to the Hugging Face hub.

mod contents;
mod markdown;
mod statistics;

pub use contents::{
    About, Card, Corrections, Distribution, Example, ModelUse, RowCounts, RunRejections,
    TaskReport, TextCount,
};

pub(super) use markdown::write;
pub(super) use statistics::Statistics;
