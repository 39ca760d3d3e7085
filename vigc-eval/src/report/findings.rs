//! The parts of a report.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::interval::Estimate;

/// How many samples a suite shows.
pub const MAX_SAMPLES: usize = 50;

/// What a suite found about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The suite.
    pub suite: String,
    /// The model.
    pub model: String,
    /// The settings that the numbers depend on.
    pub settings: Value,
    /// The numbers that the suite is known for, the most important first.
    pub metrics: Vec<Metric>,
    /// Finer numbers.
    pub tables: Vec<Table>,
    /// Samples to look at, the worst first.
    pub samples: Vec<Sample>,
}

/// What a suite found, before it is known whose answers they were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The numbers that the suite is known for, the most important first.
    pub metrics: Vec<Metric>,
    /// Finer numbers.
    pub tables: Vec<Table>,
    /// Samples to look at, the worst first.
    pub samples: Vec<Sample>,
    /// All numbers in a form of the suite's own, for programs; few suites have one.
    pub details: Option<Value>,
}

impl Report {
    /// The report of what a suite found about a model.
    #[must_use]
    pub fn new(
        suite: impl Into<String>,
        model: impl Into<String>,
        settings: Value,
        findings: Findings,
    ) -> Self {
        let (suite, model) = (suite.into(), model.into());
        let Findings { metrics, tables, samples, details: _ } = findings;
        Self { suite, model, settings, metrics, tables, samples }
    }

    /// The samples, the worst first.
    pub(super) fn worst_samples(&self) -> Vec<&Sample> {
        let mut samples: Vec<&Sample> = self.samples.iter().collect();
        samples.sort_by(|one, other| one.score.total_cmp(&other.score));
        samples
    }
}

/// A number that a suite is known for.
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

impl Metric {
    /// A share between 0 and 1.
    #[must_use]
    pub fn share(name: impl Into<String>, estimate: Estimate) -> Self {
        Self { name: name.into(), unit: Unit::Share, estimate }
    }

    /// A number on a scale of its own.
    #[must_use]
    pub fn score(name: impl Into<String>, estimate: Estimate) -> Self {
        Self { name: name.into(), unit: Unit::Score, estimate }
    }

    /// A count.
    #[must_use]
    pub fn count(name: impl Into<String>, count: usize) -> Self {
        Self { name: name.into(), unit: Unit::Count, estimate: Estimate::exactly(count as f64) }
    }
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share between 0 and 1, shown in percent.
    Share,
    /// A number on a scale of its own.
    Score,
    /// A count.
    Count,
}

/// A table of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// The headings of the cells. The column of row names has none.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<TableRow>,
}

impl Table {
    /// A table with these headings.
    #[must_use]
    pub fn new<'a>(
        title: impl Into<String>,
        columns: impl IntoIterator<Item = &'a str>,
        rows: impl IntoIterator<Item = TableRow>,
    ) -> Self {
        Self {
            title: title.into(),
            columns: columns.into_iter().map(str::to_owned).collect(),
            rows: rows.into_iter().collect(),
        }
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// Its name.
    pub name: String,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

impl TableRow {
    /// A row with these cells.
    #[must_use]
    pub fn new(name: impl Into<String>, cells: impl IntoIterator<Item = Cell>) -> Self {
        Self { name: name.into(), cells: cells.into_iter().collect() }
    }
}

/// A cell of a table. In JSON it is an object, a number or a string.
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
    /// A count.
    Count(u64),
    /// Text.
    Text(String),
}

impl Cell {
    /// A share between 0 and 1.
    #[must_use]
    pub fn share(estimate: Estimate) -> Self {
        Self::Estimate { unit: Unit::Share, estimate }
    }

    /// A number on a scale of its own.
    #[must_use]
    pub fn score(estimate: Estimate) -> Self {
        Self::Estimate { unit: Unit::Score, estimate }
    }

    /// A count.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

/// An answer to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The question's id in the suite.
    pub id: String,
    /// The image. In JSON it is the path of a file; an image that is not in a file is left out.
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
    /// A remark.
    pub note: String,
}

/// The image of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleImage {
    /// A file.
    File(PathBuf),
    /// The contents of an image file.
    Encoded(Arc<[u8]>),
}

fn is_without_path(image: &Option<SampleImage>) -> bool {
    !matches!(image, Some(SampleImage::File(_)))
}

/// Serializes a sample's image as the path of its file.
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
