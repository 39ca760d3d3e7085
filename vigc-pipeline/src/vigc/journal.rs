//! The record of a run, from which it can be resumed.

pub mod settings;

use std::collections::HashSet;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vigc_core::files::write_json;
use vigc_core::json_lines::{JsonLines, read_lines};

use self::settings::{beside, compare, keep_previous};
use super::export::{Exported, Format, write_array};
use super::sample::{InstructionSample, Record, RunSettings};
use crate::Result;
use crate::prompt::LlavaTask;

/// The settings of a kind of run, which say what its results are.
pub trait RunKind: Serialize {
    /// One result.
    type Record: RunRecord;
}

/// One result of a run: a row, a text that was rejected, or an image that was skipped.
pub trait RunRecord: Serialize {
    /// The rows.
    type Row: Exported + DeserializeOwned;

    /// The row, if it is one.
    fn row(&self) -> Option<&Self::Row>;
}

impl RunKind for RunSettings {
    type Record = Record;
}

impl RunRecord for Record {
    type Row = InstructionSample;

    fn row(&self) -> Option<&InstructionSample> {
        match self {
            Self::Sample(sample) => Some(sample),
            Self::Rejected(_) | Self::Skipped(_) => None,
        }
    }
}

/// The record of a run: rows in one JSONL file, rejected texts and skipped images in another, the
/// run's settings in a third.
///
/// Beside `out.jsonl` there are `out.jsonl.rejected.jsonl` and `out.jsonl.settings.json`. In the
/// formats that are one JSON value, rows are first gathered in `out.json.rows.jsonl`, and
/// [`finish`](Self::finish) writes `out.json` whole or not at all.
///
/// Every row is written, complete with its newline, before the next is made, so that a killed run
/// loses at most the row it was writing; [`resume`](Self::resume) removes what is left of it.
#[derive(Debug)]
pub struct Journal<S = RunSettings> {
    output: PathBuf,
    format: Format,
    rows: JsonLines,
    rejected: JsonLines,
    finished: Finished,
    kind: PhantomData<fn() -> S>,
}

impl<S: RunKind> Journal<S> {
    /// Begins a record. An earlier output of the same name is kept as `….previous`.
    ///
    /// # Errors
    ///
    /// Returns [`InUse`](vigc_core::Error::InUse) or [`Write`](vigc_core::Error::Write) if a file cannot be written.
    pub fn create(output: impl AsRef<Path>, format: Format, settings: &S) -> Result<Self> {
        let output = output.as_ref();
        let paths = Paths::new(output, format);
        // The lock comes first: another run's files are not touched.
        JsonLines::check_unused(&paths.rows)?;
        for path in [output, &paths.rows] {
            keep_previous(path)?;
        }
        // Settings come before rows: rows without settings could not be resumed.
        let (rows, rejected) =
            (JsonLines::create(&paths.rows)?, JsonLines::create(&paths.rejected)?);
        write_json(&paths.settings, settings)?;
        Ok(Self {
            output: output.to_owned(),
            format,
            rows,
            rejected,
            finished: Finished::default(),
            kind: PhantomData,
        })
    }

    /// Goes on with a record, or begins it if there is none.
    ///
    /// # Errors
    ///
    /// Returns [`Error::OtherSettings`](crate::Error::OtherSettings) if it was begun with other settings, [`Line`](vigc_core::Error::Line) if a
    /// line other than an unfinished last one is damaged, or an error of [`create`](Self::create).
    pub fn resume(output: impl AsRef<Path>, format: Format, settings: &S) -> Result<Self> {
        let output = output.as_ref();
        let paths = Paths::new(output, format);
        if !paths.settings.exists() || !paths.rows.exists() {
            return Self::create(output, format, settings);
        }
        compare(&paths.settings, &paths.rows, settings)?;
        let (rows, rejected) =
            (JsonLines::append_to(&paths.rows)?, JsonLines::append_to(&paths.rejected)?);
        let mut finished = Finished::default();
        for path in [rows.path(), rejected.path()] {
            for key in read_lines::<Key>(path)? {
                let key = key?;
                finished.0.insert((key.image, key.task));
            }
        }
        Ok(Self { output: output.to_owned(), format, rows, rejected, finished, kind: PhantomData })
    }

    /// What is on record and need not be made again.
    #[must_use]
    pub fn finished(&self) -> &Finished {
        &self.finished
    }

    /// The file that rows are recorded in.
    #[must_use]
    pub fn rows_path(&self) -> &Path {
        self.rows.path()
    }

    /// The file that rejected texts and skipped images are recorded in.
    #[must_use]
    pub fn rejected_path(&self) -> &Path {
        self.rejected.path()
    }

    /// Appends a result.
    ///
    /// # Errors
    ///
    /// Returns [`Write`](vigc_core::Error::Write) if the file cannot be written.
    pub fn append(&mut self, record: &S::Record) -> Result<()> {
        match record.row() {
            Some(row) => self.rows.write(row)?,
            None => self.rejected.write(record)?,
        }
        Ok(())
    }

    /// Completes the output: for a format that is one JSON value, writes it from all rows on record,
    /// those of earlier runs included.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Write`](crate::Error::Write) if the file cannot be written.
    pub fn finish(self) -> Result<()> {
        if self.format == Format::Vigc {
            return Ok(());
        }
        let rows = read_lines::<<S::Record as RunRecord>::Row>(self.rows.path())?;
        write_array(&self.output, self.format, rows.map(|row| Ok(row?)))
    }
}

/// The samples that are on record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished(HashSet<(String, Option<LlavaTask>)>);

impl Finished {
    /// Whether an image was skipped, or its task finished.
    #[must_use]
    pub fn contains(&self, image: &str, task: LlavaTask) -> bool {
        [None, Some(task)].into_iter().any(|task| self.0.contains(&(image.to_owned(), task)))
    }

    /// Whether an image is on record, for a run with one task.
    #[must_use]
    pub fn contains_image(&self, image: &str) -> bool {
        self.0.contains(&(image.to_owned(), None))
    }

    /// How many results there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Deserialize)]
struct Key {
    image: String,
    task: Option<LlavaTask>,
}

struct Paths {
    rows: PathBuf,
    rejected: PathBuf,
    settings: PathBuf,
}

impl Paths {
    fn new(output: &Path, format: Format) -> Self {
        let rows = match format {
            Format::Vigc => output.to_owned(),
            Format::Llava | Format::Reference => beside(output, ".rows.jsonl"),
        };
        Self {
            rows,
            rejected: beside(output, ".rejected.jsonl"),
            settings: beside(output, ".settings.json"),
        }
    }
}
