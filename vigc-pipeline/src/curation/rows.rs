//! Rows, the files that they are read from, and the pictures that they are about.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use vigc_core::json_lines::{Line, LineReader};
use vigc_core::{Error, Result};

use crate::prompt::Task;
use crate::vigc::diff::SentenceChange;
use crate::vigc::export::{Exported, LlavaRecord};
use crate::vigc::two_stage::{KnowledgeSample, TwoStageRun};
use crate::vigc::{InstructionSample, StopReason};

/// A generated row, of either kind of run.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A question with a corrected answer.
    Instruction(InstructionSample),
    /// A question with weighted short answers.
    Knowledge(KnowledgeSample),
}

impl Row {
    /// Reads a line. Rows with the key `answers` are questions with short answers.
    ///
    /// # Errors
    ///
    /// Names the key that is missing or wrong.
    pub fn from_json(line: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Kind {
            answers: Option<IgnoredAny>,
        }
        match serde_json::from_slice::<Kind>(line)?.answers {
            Some(_) => serde_json::from_slice(line).map(Self::Knowledge),
            None => serde_json::from_slice(line).map(Self::Instruction),
        }
    }

    /// The image file. Rows with equal image files are about the same picture.
    #[must_use]
    pub fn image(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.image,
            Self::Knowledge(row) => &row.image,
        }
    }

    /// The image's path below the folder that the run was given, without extension.
    #[must_use]
    pub fn image_id(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.image_id,
            Self::Knowledge(row) => &row.image_id,
        }
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Instruction(row) => row.task,
            Self::Knowledge(_) => Task::KnowledgeVqa,
        }
    }

    /// The instruction that VIG was given.
    #[must_use]
    pub fn instruction(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.instruction,
            Self::Knowledge(row) => &row.instruction,
        }
    }

    /// The question.
    #[must_use]
    pub fn question(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.question,
            Self::Knowledge(row) => &row.question,
        }
    }

    /// The final answer; of several short answers, the best one.
    #[must_use]
    pub fn answer(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.answer,
            Self::Knowledge(row) => row.answers.first().map_or("", |answer| &answer.text),
        }
    }

    /// VIG's answer, before the correction.
    #[must_use]
    pub fn draft(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.draft,
            Self::Knowledge(row) => &row.draft,
        }
    }

    /// The name of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::Instruction(row) => &row.settings.model,
            Self::Knowledge(row) => &row.model,
        }
    }

    /// The settings that the row was generated with, including the model's name, as JSON.
    ///
    /// # Errors
    ///
    /// If they cannot be serialized.
    pub fn settings(&self) -> serde_json::Result<String> {
        match self {
            Self::Instruction(row) => serde_json::to_string(&row.settings),
            Self::Knowledge(row) => serde_json::to_string(&TwoStageRun {
                model: row.model.clone(),
                settings: row.settings.clone(),
            }),
        }
    }

    /// The draft's sentences compared with the answer's, if the row was corrected.
    #[must_use]
    pub fn changes(&self) -> Option<&[SentenceChange]> {
        match self {
            Self::Instruction(row) if row.stop != StopReason::NotCorrected => Some(&row.changes),
            Self::Instruction(_) | Self::Knowledge(_) => None,
        }
    }

    /// The mean log-probability of the corrected answer's tokens, in nats, if it is known for all of them.
    #[must_use]
    pub fn log_prob_per_token(&self) -> Option<f32> {
        let Self::Instruction(row) = self else { return None };
        let log_prob = row.steps.iter().map(|step| step.log_prob).sum::<Option<f32>>()?;
        let tokens = row.steps.iter().map(|step| step.tokens).sum::<usize>();
        (tokens > 0).then(|| log_prob / tokens as f32)
    }

    /// The row as a conversation that LLaVA's training reads.
    #[must_use]
    pub fn to_llava(&self) -> LlavaRecord {
        match self {
            Self::Instruction(row) => row.llava(),
            Self::Knowledge(row) => row.llava(),
        }
    }

    /// The row as the upstream program writes it, in Python's JSON.
    ///
    /// # Errors
    ///
    /// If it cannot be serialized.
    pub fn to_upstream_json(&self) -> serde_json::Result<String> {
        match self {
            Self::Instruction(row) => row.upstream(),
            Self::Knowledge(row) => row.upstream(),
        }
    }
}

impl From<InstructionSample> for Row {
    fn from(row: InstructionSample) -> Self {
        Self::Instruction(row)
    }
}

impl From<KnowledgeSample> for Row {
    fn from(row: KnowledgeSample) -> Self {
        Self::Knowledge(row)
    }
}

/// A row and the line that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct LocatedRow {
    /// The row.
    pub row: Row,
    /// The file.
    pub path: PathBuf,
    /// The line.
    pub line: Line,
}

impl LocatedRow {
    fn parse(path: &Path, line: Line) -> Result<Self> {
        match Row::from_json(&line.text) {
            Ok(row) => Ok(Self { row, path: path.to_owned(), line }),
            Err(source) => Err(Error::Line { path: path.to_owned(), line: line.number, source }),
        }
    }

    /// The size of the line with its newline, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.line.text.len() as u64 + 1
    }

    /// Where the line begins.
    pub(super) fn position(&self) -> LinePosition {
        LinePosition { number: self.line.number, offset: self.line.offset }
    }
}

/// The rows of JSON Lines files, one file after the other.
#[derive(Debug)]
pub struct Rows {
    paths: std::vec::IntoIter<PathBuf>,
    reader: Option<LineReader>,
}

impl Rows {
    /// The rows of these files, in this order. Each file is opened when its first row is read.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into).collect::<Vec<_>>();
        Self { paths: paths.into_iter(), reader: None }
    }

    fn read(&mut self) -> Result<Option<LocatedRow>> {
        loop {
            if let Some(reader) = &mut self.reader
                && let Some(line) = reader.next()
            {
                return LocatedRow::parse(reader.path(), line?).map(Some);
            }
            let Some(path) = self.paths.next() else { return Ok(None) };
            self.reader = Some(LineReader::open(path)?);
        }
    }
}

impl Iterator for Rows {
    type Item = Result<LocatedRow>;

    fn next(&mut self) -> Option<Result<LocatedRow>> {
        let row = self.read();
        if row.is_err() {
            // The rest of a damaged file is not trustworthy either.
            (self.reader, self.paths) = (None, Vec::new().into_iter());
        }
        row.transpose()
    }
}

/// Where a line of a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinePosition {
    /// The line's number, counted from 1.
    pub(super) number: usize,
    /// The offset of its first byte.
    pub(super) offset: u64,
}

/// Reads the row of a line again.
pub(super) fn read_at(reader: &mut LineReader, position: LinePosition) -> Result<Row> {
    let LinePosition { number, offset } = position;
    let start = Line { number, offset, text: Vec::new() };
    reader.seek_to(&start)?;
    let line = reader.next().transpose()?.unwrap_or(start);
    Ok(LocatedRow::parse(reader.path(), line)?.row)
}

/// The total size of files, in bytes.
pub(super) fn total_bytes(paths: &[PathBuf]) -> Result<u64> {
    let size = |path: &PathBuf| match fs::metadata(path) {
        Ok(file) => Ok(file.len()),
        Err(source) => Err(Error::Read { path: path.clone(), source }),
    };
    paths.iter().map(size).sum()
}

/// A hash of a value, the same in every run of a program.
pub(super) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Where the pictures of rows are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pictures {
    folder: Option<PathBuf>,
}

impl Pictures {
    /// The files that the rows name.
    #[must_use]
    pub fn as_recorded() -> Self {
        Self::default()
    }

    /// Files in another folder, which has the layout of the folder that the run was given.
    #[must_use]
    pub fn below(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// The file of a row's picture.
    #[must_use]
    pub fn file(&self, row: &Row) -> PathBuf {
        let name = self.name(row);
        self.folder.as_ref().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
    }

    /// The picture's name in exports: its path below the folder, or its path in the row if there is no folder.
    #[must_use]
    pub fn name(&self, row: &Row) -> String {
        let extension = Path::new(row.image()).extension();
        match (&self.folder, extension) {
            (None, _) => row.image().to_owned(),
            (Some(_), None) => row.image_id().to_owned(),
            (Some(_), Some(extension)) => {
                format!("{}.{}", row.image_id(), extension.to_string_lossy())
            }
        }
    }
}
