//! Rows in, a data set out.

use std::fs;
use std::path::{Path, PathBuf};

use super::card::{About, Card, Origin, RowCounts, Statistics};
use super::export::{ExportFormat, ExportOptions, Kept, Written};
use super::gates::{GateReport, GateSettings, Gates, ShingleCounts};
use super::line_file::LineFile;
use super::rows::total_bytes;
use super::{CurationError, Pictures, Rows, sift};

/// What a data set is made of, and how.
///
/// [`run`](Self::run) writes a folder:
///
/// | file | what it holds |
/// |---|---|
/// | `kept.jsonl` | the rows that all gates let through, as they were |
/// | `dropped.jsonl` | the others: gate, reason, where the row stood, and the row |
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

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Runs of words are counted, for near duplicates.
    Counting,
    /// Rows go through the gates.
    Sifting,
    /// Kept rows are exported.
    Exporting(ExportFormat),
}

/// How far a stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Rows that are done.
    pub rows: u64,
    /// Bytes of rows that are done.
    pub bytes: u64,
    /// Bytes of all rows.
    pub total_bytes: u64,
}

/// What the gates left.
struct Sifted {
    rows: RowCounts,
    statistics: Statistics,
    gates: Vec<GateReport>,
}

impl Curation {
    /// Of these files of rows, with all gates at their defaults and no format but JSONL.
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

    /// With pictures in another place.
    #[must_use]
    pub fn with_pictures(self, pictures: Pictures) -> Self {
        Self { pictures, ..self }
    }

    /// With other gates.
    #[must_use]
    pub fn with_gates(self, gates: GateSettings) -> Self {
        Self { gates, ..self }
    }

    /// With these formats, besides JSONL.
    #[must_use]
    pub fn with_formats(self, formats: impl IntoIterator<Item = ExportFormat>) -> Self {
        Self { formats: formats.into_iter().collect(), ..self }
    }

    /// With other options of the formats.
    #[must_use]
    pub fn with_options(self, options: ExportOptions) -> Self {
        Self { options, ..self }
    }

    /// With a title and a licence.
    #[must_use]
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Makes the data set in a new folder, which appears when everything is in it; until then it is called
    /// `….partial`, and a run that was broken off begins anew.
    ///
    /// # Errors
    ///
    /// If the folder exists, a setting makes no sense, a line is not a row, no row is left, or a file cannot be read or
    /// written.
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
        let mut kept = begin(&folder)?;
        let mut dropped = LineFile::create(folder.join("dropped.jsonl"))?;
        let Sifted { rows, statistics, gates } = self.sift([&mut kept, &mut dropped], progress)?;
        if rows.kept == 0 {
            return Err(empty(rows.read, gates));
        }
        let card = Card {
            files: self.export(&folder, kept.path(), &statistics, progress)?,
            about: self.about.clone(),
            origin: Origin::of(&self.rows)?,
            gate_settings: self.gates,
            rows,
            gates,
            ..Card::of(&statistics, kept.path())?
        };
        card.write(&folder)?;
        fs::rename(&folder, out).map_err(CurationError::write(out))?;
        Ok(card)
    }

    /// Asks the gates about all rows.
    fn sift(
        &self,
        files: [&mut LineFile; 2],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Sifted, CurationError> {
        let total = total_bytes(&self.rows)?;
        let counts = if self.gates.near_duplicates.enabled {
            let mut ticks = ticks(Stage::Counting, total, progress);
            sift::count(Rows::new(&self.rows), &mut ticks)?
        } else {
            ShingleCounts::default()
        };
        let mut gates = Gates::new(&self.gates, &self.pictures, counts);
        let mut ticks = ticks(Stage::Sifting, total, progress);
        let (rows, statistics) = sift::sift(Rows::new(&self.rows), &mut gates, files, &mut ticks)?;
        Ok(Sifted { rows, statistics, gates: gates.reports() })
    }

    fn export(
        &self,
        folder: &Path,
        path: &Path,
        statistics: &Statistics,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Written>, CurationError> {
        let total = total_bytes(&[path.to_owned()])?;
        let mut formats = vec![ExportFormat::Jsonl];
        for &format in &self.formats {
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        let export = |format| {
            let progress = &mut ticks(Stage::Exporting(format), total, progress);
            let kept = Kept { folder, path, pictures: &self.pictures, statistics, progress };
            kept.export(format, self.options)
        };
        formats.into_iter().map(export).collect()
    }
}

/// Makes the unfinished folder, empty but for the file of kept rows.
fn begin(folder: &Path) -> Result<LineFile, CurationError> {
    let failed = || CurationError::write(folder);
    fs::create_dir_all(folder).map_err(failed())?;
    // The lock comes first: another run's files are not touched.
    let kept = LineFile::create(folder.join("kept.jsonl"))?;
    for entry in fs::read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path != kept.path() {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(CurationError::write(&path))?;
        }
    }
    Ok(kept)
}

fn empty(read: u64, gates: Vec<GateReport>) -> CurationError {
    let dropped = gates.into_iter().filter(|gate| gate.dropped > 0);
    CurationError::Empty { read, dropped: dropped.map(|gate| (gate.gate, gate.dropped)).collect() }
}

/// Turns bytes of single rows into the progress of a stage.
fn ticks(stage: Stage, total_bytes: u64, progress: &mut dyn FnMut(Progress)) -> impl FnMut(u64) {
    let (mut rows, mut bytes) = (0, 0);
    move |of_row| {
        rows += 1;
        bytes += of_row;
        progress(Progress { stage, rows, bytes, total_bytes });
    }
}
