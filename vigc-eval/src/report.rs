//! Reports: metrics with their intervals, tables, and samples, as text, JSON and HTML.
//!
//! A suite returns [`Findings`]. [`Report`] adds the suite's name, the model and the settings, prints aligned tables,
//! and writes JSON and one self-contained page. [`compare`] puts several reports of one suite side by side, and
//! [`write_index`] links the pages of several suites.

mod compare;
mod findings;
mod html;
mod number;
mod picture;
mod plot;
mod terminal;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, compare};
pub use findings::{
    Cell, Findings, MAX_SAMPLES, Metric, Report, Sample, SampleImage, Table, TableRow, Unit,
};
pub use html::write_index;
pub use plot::Plot;
