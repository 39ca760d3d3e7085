//! The formats of a data set, the rows that are exported, and the files that are written.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::curation::error::CurationError;
use crate::curation::rows::{LocatedRow, Pictures, Rows, total_bytes};

/// A format of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportFormat {
    /// The rows as they were generated, one per line: `kept.jsonl`, which is always written.
    Jsonl,
    /// LLaVA's conversations: `llava.json`.
    Llava,
    /// The rows of the upstream program: `reference.json`, and `question_answer.json` for short answers.
    #[serde(rename = "reference")]
    Upstream,
    /// Rows with their pictures, for the Hugging Face hub: `data/train-*.parquet`. Needs the feature `parquet`.
    Parquet,
}

impl ExportFormat {
    /// The formats that are compiled in.
    pub const ALL: &[Self] = &[
        Self::Jsonl,
        Self::Llava,
        Self::Upstream,
        #[cfg(feature = "parquet")]
        Self::Parquet,
    ];

    /// The format's name: `jsonl`, `llava`, `reference` or `parquet`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Llava => "llava",
            Self::Upstream => "reference",
            Self::Parquet => "parquet",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is not the name of a format that is compiled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {name:?}, expected {}", ExportFormat::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", "))]
pub struct ParseExportFormatError {
    /// The text.
    pub name: String,
}

impl FromStr for ExportFormat {
    type Err = ParseExportFormatError;

    fn from_str(name: &str) -> Result<Self, ParseExportFormatError> {
        let mut formats = Self::ALL.iter().copied();
        let found = formats.find(|format| format.name() == name);
        found.ok_or_else(|| ParseExportFormatError { name: name.to_owned() })
    }
}

/// Options of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportOptions {
    /// LLaVA: whether all questions of the task [`Conversation`](crate::prompt::Task::Conversation) about one picture
    /// become one conversation.
    pub joined: bool,
    /// Parquet: the size of a file, in bytes, at which the next one is begun.
    pub shard_bytes: u64,
}

impl Default for ExportOptions {
    /// A conversation for each question, and files of 500 MB, as Hugging Face's library `datasets` writes them.
    fn default() -> Self {
        Self { joined: false, shard_bytes: 500_000_000 }
    }
}

/// The files of one format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFiles {
    /// The format.
    pub format: ExportFormat,
    /// The files, relative to the data set's folder.
    pub files: Vec<String>,
    /// Their total size, in bytes.
    pub bytes: u64,
    /// How many rows they hold.
    pub rows: u64,
    /// The size of the rows before compression, in bytes.
    pub content_bytes: u64,
}

/// The kept rows of an unfinished data set.
pub(in crate::curation) struct KeptRows<'a> {
    /// The data set's folder.
    pub(in crate::curation) folder: &'a Path,
    /// The file of kept rows.
    pub(in crate::curation) path: &'a Path,
    pub(in crate::curation) pictures: &'a Pictures,
    /// How many rows there are.
    pub(in crate::curation) count: u64,
    /// How many of them are questions with weighted short answers.
    pub(in crate::curation) knowledge_count: u64,
    /// Called for each row that is read, with its size in bytes.
    pub(in crate::curation) progress: &'a mut dyn FnMut(u64),
}

impl KeptRows<'_> {
    /// The rows in order. Reports progress.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = vigc_core::Result<LocatedRow>> {
        Rows::new([self.path]).inspect(|row| {
            if let Ok(row) = row {
                (self.progress)(row.bytes());
            }
        })
    }

    /// Describes the files that hold the rows. Without compression, the size of their content is that of the files.
    pub(super) fn exported(
        &self,
        format: ExportFormat,
        paths: &[PathBuf],
        content_bytes: Option<u64>,
    ) -> Result<ExportedFiles, CurationError> {
        let bytes = total_bytes(paths)?;
        let relative = |path: &PathBuf| {
            let relative = path.strip_prefix(self.folder).unwrap_or(path);
            relative.to_string_lossy().replace('\\', "/")
        };
        Ok(ExportedFiles {
            format,
            files: paths.iter().map(relative).collect(),
            bytes,
            rows: self.count,
            content_bytes: content_bytes.unwrap_or(bytes),
        })
    }
}
