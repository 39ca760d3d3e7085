//! The kept rows in the formats of others.

mod columns;
mod llava;
#[cfg(feature = "parquet")]
mod parquet;
mod reference;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::card::Statistics;
use super::{CurationError, Located, Pictures, Rows};
use crate::Result;

pub use columns::{COLUMNS, Kind, Scalar};

/// A format of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportFormat {
    /// The rows as they were, one a line: `kept.jsonl`, which is always written.
    Jsonl,
    /// LLaVA's conversations: `llava.json`.
    Llava,
    /// The reference's rows: `reference.json`, and `question_answer.json` for short answers.
    Reference,
    /// Rows with their pictures, for the Hugging Face hub: `data/train-*.parquet`. Needs the feature `parquet`.
    Parquet,
}

impl ExportFormat {
    /// The formats that are compiled in.
    pub const ALL: &[Self] = &[
        Self::Jsonl,
        Self::Llava,
        Self::Reference,
        #[cfg(feature = "parquet")]
        Self::Parquet,
    ];

    /// `jsonl`, `llava`, `reference` or `parquet`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Llava => "llava",
            Self::Reference => "reference",
            Self::Parquet => "parquet",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the formats'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {name:?}, expected {}", ExportFormat::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownExport {
    /// The name.
    pub name: String,
}

impl FromStr for ExportFormat {
    type Err = UnknownExport;

    fn from_str(name: &str) -> Result<Self, UnknownExport> {
        let mut formats = Self::ALL.iter().copied();
        formats
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownExport { name: name.to_owned() })
    }
}

/// How the kept rows are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportOptions {
    /// Whether conversations about one picture are joined into one, in LLaVA's format.
    pub joined: bool,
    /// The size of a Parquet file, in bytes, at which the next is begun.
    pub shard_bytes: u64,
}

impl Default for ExportOptions {
    /// One question a conversation, and files of 500 MB, as the hub's own library writes.
    fn default() -> Self {
        Self { joined: false, shard_bytes: 500_000_000 }
    }
}

/// The files of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The format.
    pub format: ExportFormat,
    /// The files, below the data set's folder.
    pub files: Vec<String>,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// How many rows they hold.
    pub rows: u64,
    /// The size of what the rows hold, before compression.
    pub content_bytes: u64,
}

/// The kept rows of an unfinished data set, and who hears of progress.
pub(super) struct Kept<'a> {
    pub(super) folder: &'a Path,
    pub(super) path: &'a Path,
    pub(super) pictures: &'a Pictures,
    pub(super) statistics: &'a Statistics,
    pub(super) progress: &'a mut dyn FnMut(u64),
}

impl Kept<'_> {
    /// Writes an export into the data set's folder.
    pub(super) fn export(
        mut self,
        format: ExportFormat,
        options: ExportOptions,
    ) -> Result<Written, CurationError> {
        match format {
            ExportFormat::Jsonl => self.written(format, &[self.path.to_owned()], 0),
            ExportFormat::Llava => llava::write(&mut self, options.joined),
            ExportFormat::Reference => reference::write(&mut self),
            #[cfg(feature = "parquet")]
            ExportFormat::Parquet => parquet::write(&mut self, options.shard_bytes),
            #[cfg(not(feature = "parquet"))]
            ExportFormat::Parquet => Err(CurationError::NotCompiledIn { feature: "parquet" }),
        }
    }

    /// The kept rows in order, with progress.
    fn rows(&mut self) -> impl Iterator<Item = Result<Located>> {
        Rows::new([self.path]).inspect(|row| {
            if let Ok(row) = row {
                (self.progress)(row.text.len() as u64 + 1);
            }
        })
    }

    fn written(
        &self,
        format: ExportFormat,
        files: &[PathBuf],
        content_bytes: u64,
    ) -> Result<Written, CurationError> {
        let size = |path: &PathBuf| {
            fs::metadata(path).map(|file| file.len()).map_err(CurationError::write(path))
        };
        let bytes = files.iter().map(size).sum::<Result<u64, _>>()?;
        let below = |path: &PathBuf| {
            let below = path.strip_prefix(self.folder).unwrap_or(path);
            below.to_string_lossy().replace('\\', "/")
        };
        Ok(Written {
            format,
            files: files.iter().map(below).collect(),
            bytes,
            rows: self.statistics.rows(),
            content_bytes: if content_bytes == 0 { bytes } else { content_bytes },
        })
    }
}
