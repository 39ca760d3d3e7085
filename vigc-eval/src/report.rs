//! What a suite found: numbers with their intervals, tables, and samples to look at.

mod compare;
mod html;
mod index;
mod number;
mod picture;
mod plot;
mod terminal;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vigc_core::files::{write_atomic, write_json};

use super::interval::Estimate;
use vigc_pipeline::Result;

pub use compare::{CompareError, Comparison, compare};
pub use index::write_index;
pub use plot::Plot;

/// Characters of a line that is displayed.
const WIDTH: usize = 100;

/// What a suite found about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The suite.
    pub suite: String,
    /// The model.
    pub model: String,
    /// What the numbers depend on besides the model.
    pub settings: Value,
    /// The numbers that a suite is known by, the most important first.
    pub metrics: Vec<Metric>,
    /// Finer numbers.
    pub tables: Vec<Table>,
    /// Samples to look at, worst first.
    pub samples: Vec<Sample>,
}

/// A number that a suite is known by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What it measures.
    pub name: String,
    /// How it is shown.
    pub unit: Unit,
    /// The number.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A part of 1, shown as percent.
    Share,
    /// A number with its own scale.
    Score,
    /// A whole number of things.
    Count,
}

/// Numbers beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// The names of the cells of each row, without the row's own.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<TableRow>,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// Its name.
    pub name: String,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

/// One cell of a table. In JSON an object, a number or a string.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number with its interval.
    Estimate {
        /// How it is shown.
        unit: Unit,
        /// The number.
        #[serde(flatten)]
        estimate: Estimate,
    },
    /// A whole number of things.
    Count(u64),
    /// Words.
    Text(String),
}

/// One sample, to be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The question's name in the suite.
    pub id: String,
    /// The picture. In JSON it is the path of a file; an encoded picture is left out.
    #[serde(default, skip_serializing_if = "is_without_path", with = "image_path")]
    pub image: Option<SampleImage>,
    /// What was asked.
    pub question: String,
    /// What was expected.
    pub expected: String,
    /// What the model answered.
    pub answer: String,
    /// How good the answer is; 0 is worst.
    pub score: f64,
    /// What else there is to say about it.
    pub note: String,
}

/// The picture of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleImage {
    /// A file.
    File(PathBuf),
    /// The contents of a file.
    Encoded(Arc<[u8]>),
}

impl Report {
    /// Writes everything as JSON, but for pictures that are not in files.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(write_json(path, self)?)
    }

    /// Metrics and tables, aligned for a terminal of `width` characters.
    ///
    /// Columns that do not fit beside each other follow below.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let heading = format!("{} · {}\n", self.suite, self.model);
        let tables = self.tables.iter().map(|table| terminal::table(table, width));
        let parts = [heading, terminal::metrics(&self.metrics)].into_iter().chain(tables);
        parts.collect::<Vec<_>>().join("\n")
    }

    /// Writes one page that needs nothing but itself: metrics, tables with plots, the 50 worst
    /// samples beside their pictures, and the settings.
    ///
    /// Pictures are made smaller and become part of the page; for one that cannot be read the page
    /// says why.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write_html(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(write_atomic(path, html::report(self).as_bytes())?)
    }

    /// The samples, worst first.
    fn worst_samples(&self) -> Vec<&Sample> {
        let mut samples: Vec<&Sample> = self.samples.iter().collect();
        samples.sort_by(|one, other| one.score.total_cmp(&other.score));
        samples
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(WIDTH))
    }
}

fn is_without_path(image: &Option<SampleImage>) -> bool {
    !matches!(image, Some(SampleImage::File(_)))
}

/// A sample's picture as the path of its file.
mod image_path {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SampleImage;

    pub(super) fn serialize<S: Serializer>(
        image: &Option<SampleImage>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let path = match image {
            Some(SampleImage::File(path)) => Some(path),
            Some(SampleImage::Encoded(_)) | None => None,
        };
        path.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SampleImage>, D::Error> {
        Ok(Option::<PathBuf>::deserialize(deserializer)?.map(SampleImage::File))
    }
}
