//! What a suite found: numbers with their intervals, tables, and samples to look at.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::interval::Estimate;

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

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A number with its interval.
    Estimate {
        /// How it is shown.
        unit: Unit,
        /// The number.
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
