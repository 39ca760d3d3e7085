//! The process that turns files of rows into a data set.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vigc_core::json_lines::JsonLines;

use super::card::{self, About, Card, RowCounts, RunRejections, Statistics};
use super::error::{CurationError, write_error};
use super::export::{self, ExportFormat, ExportOptions, ExportedFiles, KeptRows};
use super::gates::{GateReport, GateSettings, Gates, Reason, ShingleCounts};
use super::rows::{LinePosition, LocatedRow, Pictures, Rows, total_bytes};

/// A data set to be made: its rows and its settings.
///
/// [`run`](Self::run) writes a folder:
///
/// | file | what it holds |
/// |---|---|
/// | `kept.jsonl` | the rows that every gate passed, unchanged |
/// | `dropped.jsonl` | the other rows, each with gate, reason, file and line |
/// | `llava.json`, `reference.json`, `data/*.parquet` | the formats that were asked for |
/// | `README.md`, `card.json` | the data card |
#[derive(Debug, Clone)]
pub struct Curation {
    rows: Vec<PathBuf>,
    pictures: Pictures,
    gates: GateSettings,
    formats: Vec<ExportFormat>,
    options: ExportOptions,
    about: About,
}

/// A stage of a [`Curation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Shingles are counted, for near duplicates.
    Counting,
    /// The gates check the rows.
    Filtering,
    /// The kept rows are exported.
    Exporting(ExportFormat),
}

/// The progress of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// The number of rows that are done.
    pub rows: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The size of all rows, in bytes.
    pub total_bytes: u64,
}

impl Curation {
    /// Makes a data set of these files of rows, with the default gates and no format besides JSON Lines.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            rows: rows.into_iter().map(Into::into).collect(),
            pictures: Pictures::as_recorded(),
            gates: GateSettings::default(),
            formats: Vec::new(),
            options: ExportOptions::default(),
            about: About::default(),
        }
    }

    /// Sets where the pictures are.
    #[must_use]
    pub fn with_pictures(self, pictures: Pictures) -> Self {
        Self { pictures, ..self }
    }

    /// Sets the gates.
    #[must_use]
    pub fn with_gates(self, gates: GateSettings) -> Self {
        Self { gates, ..self }
    }

    /// Sets the formats besides JSON Lines.
    #[must_use]
    pub fn with_formats(self, formats: impl IntoIterator<Item = ExportFormat>) -> Self {
        Self { formats: formats.into_iter().collect(), ..self }
    }

    /// Sets the options of the formats.
    #[must_use]
    pub fn with_options(self, options: ExportOptions) -> Self {
        Self { options, ..self }
    }

    /// Sets the title and the license.
    #[must_use]
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Writes the data set to a new folder and calls `progress` for every row of every stage.
    ///
    /// The folder gets its name when it is complete. Until then it is called `….partial`, and a run that is interrupted
    /// starts over.
    ///
    /// # Errors
    ///
    /// If the folder exists, a setting is out of range, a line is not a row, the gates drop every row, or a file cannot
    /// be read or written.
    pub fn run(
        &self,
        out: impl AsRef<Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Card, CurationError> {
        let out = out.as_ref();
        self.gates.validate()?;
        if out.exists() {
            return Err(CurationError::Exists(out.to_owned()));
        }
        let folder = vigc_core::files::partial_path(out);
        let files = RowFiles::create(&folder)?;
        let filtered = self.filter(files, progress)?;
        let files = self.export(&folder, &filtered, progress)?;
        let Filtered { kept, rows, statistics, gates } = filtered;
        let card = Card {
            files,
            about: self.about.clone(),
            origin: RunRejections::read_beside(&self.rows)?,
            gate_settings: self.gates,
            rows,
            gates,
            ..statistics.card(kept.path())?
        };
        card::write(&card, &folder)?;
        fs::rename(&folder, out).map_err(write_error(out))?;
        Ok(card)
    }

    /// Checks all rows with the gates.
    fn filter(
        &self,
        mut files: RowFiles,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Filtered, CurationError> {
        let total = total_bytes(&self.rows)?;
        let mut counts = ShingleCounts::default();
        if self.gates.near_duplicates.enabled {
            let mut report = stage_progress(Stage::Counting, total, progress);
            for located in Rows::new(&self.rows) {
                let located = located?;
                counts.add(&located.row);
                report(located.bytes());
            }
        }
        let mut gates = Gates::new(&self.gates, &self.pictures, counts);
        let mut rows = RowCounts::default();
        let mut statistics = Statistics::default();
        let mut report = stage_progress(Stage::Filtering, total, progress);
        for located in Rows::new(&self.rows) {
            let located = located?;
            rows.read += 1;
            match gates.check(&located.row) {
                None => {
                    rows.kept += 1;
                    statistics.add(&located.row, files.keep(&located, rows.kept)?);
                }
                Some((gate, reason)) => {
                    rows.dropped += 1;
                    files.drop(&located, gate, &reason)?;
                }
            }
            report(located.bytes());
        }
        let RowFiles { mut kept, mut dropped } = files;
        kept.sync()?;
        dropped.sync()?;
        let gates = gates.reports();
        if rows.kept == 0 {
            return Err(empty(rows.read, gates));
        }
        Ok(Filtered { kept, rows, statistics, gates })
    }

    fn export(
        &self,
        folder: &Path,
        filtered: &Filtered,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<ExportedFiles>, CurationError> {
        let path = filtered.kept.path();
        let (count, knowledge_count) = (filtered.rows.kept, filtered.statistics.knowledge_rows());
        let total = total_bytes(&[path.to_owned()])?;
        let mut formats = vec![ExportFormat::Jsonl];
        for &format in &self.formats {
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        let export = |format| {
            let progress = &mut stage_progress(Stage::Exporting(format), total, progress);
            let pictures = &self.pictures;
            let kept = KeptRows { folder, path, pictures, count, knowledge_count, progress };
            export::write(kept, format, self.options)
        };
        formats.into_iter().map(export).collect()
    }
}

/// The files of an unfinished data set that rows are written to.
struct RowFiles {
    kept: JsonLines,
    dropped: JsonLines,
}

/// What the record of a dropped row begins with.
#[derive(Serialize)]
struct DroppedHead<'a> {
    gate: &'a str,
    reason: &'a str,
    detail: &'a str,
    file: String,
    line: usize,
}

impl RowFiles {
    /// Creates the folder, and removes what an interrupted run has left in it.
    fn create(folder: &Path) -> Result<Self, CurationError> {
        fs::create_dir_all(folder).map_err(write_error(folder))?;
        // The lock comes first, so the files of a run in progress are not touched.
        let kept = JsonLines::create(folder.join("kept.jsonl"))?.buffered();
        for entry in fs::read_dir(folder).map_err(write_error(folder))? {
            let path = entry.map_err(write_error(folder))?.path();
            if path != kept.path() {
                let removed =
                    if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(write_error(&path))?;
            }
        }
        let dropped = JsonLines::create(folder.join("dropped.jsonl"))?.buffered();
        Ok(Self { kept, dropped })
    }

    /// Writes a row to `kept.jsonl` unchanged, as the line of this number. Returns where the line begins.
    fn keep(&mut self, located: &LocatedRow, number: u64) -> Result<LinePosition, CurationError> {
        let position = LinePosition { number: number as usize, offset: self.kept.offset() };
        self.kept.write_raw(&[&located.line.text])?;
        Ok(position)
    }

    /// Writes a row to `dropped.jsonl`, with the gate and the reason.
    fn drop(
        &mut self,
        located: &LocatedRow,
        gate: &str,
        reason: &Reason,
    ) -> Result<(), CurationError> {
        let head = DroppedHead {
            gate,
            reason: reason.name,
            detail: &reason.detail,
            file: located.path.to_string_lossy().into_owned(),
            line: located.line.number,
        };
        let head = serde_json::to_string(&head)
            .map_err(|source| write_error(self.dropped.path())(source.into()))?;
        let open = head.strip_suffix('}').unwrap_or(&head);
        let row = located.line.text.as_slice();
        self.dropped.write_raw(&[open.as_bytes(), b",\"row\":", row, b"}"])?;
        Ok(())
    }
}

/// What is left after the gates.
struct Filtered {
    /// The kept rows, whose file stays locked.
    kept: JsonLines,
    rows: RowCounts,
    statistics: Statistics,
    gates: Vec<GateReport>,
}

fn empty(read: u64, gates: Vec<GateReport>) -> CurationError {
    let dropped = gates.into_iter().filter(|gate| gate.dropped > 0);
    CurationError::Empty { read, dropped: dropped.map(|gate| (gate.gate, gate.dropped)).collect() }
}

/// Adds up the sizes of single rows and reports the progress of a stage.
fn stage_progress(
    stage: Stage,
    total_bytes: u64,
    progress: &mut dyn FnMut(Progress),
) -> impl FnMut(u64) {
    let (mut rows, mut bytes) = (0, 0);
    move |row_bytes| {
        rows += 1;
        bytes += row_bytes;
        progress(Progress { stage, rows, bytes, total_bytes });
    }
}
