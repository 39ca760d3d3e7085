//! The record of the answers, from which asking goes on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vigc_core::files::write_json;

use super::{AnswersError, Ask, AskerSettings, Failure, Place, Result};
use vigc_pipeline::vigc::settings::{beside, compare, keep_previous};
use vigc_pipeline::vigc::{JsonLines, read_lines};

/// The record of a suite's answers: one JSONL file of answers, one of failures, and the settings.
///
/// Beside `answers.jsonl` there are `answers.jsonl.failed.jsonl` and `answers.jsonl.settings.json`. A
/// line of answers holds `id`, `text` and the `prompt`, and is written before the next batch is
/// asked, so that a killed run loses at most one batch.
#[derive(Debug)]
pub struct AnswerJournal {
    answers: JsonLines,
    failed: JsonLines,
    known: HashMap<String, Known>,
}

/// An answer on record.
#[derive(Debug)]
struct Known {
    text: String,
    prompt: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    text: String,
    prompt: String,
}

impl AnswerJournal {
    /// Begins a record. An earlier one of the same name is kept as `….previous`.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be written or another process writes to it.
    pub fn create(path: impl AsRef<Path>, settings: &AskerSettings) -> Result<Self> {
        let path = path.as_ref();
        // The lock comes first: another run's files are not touched.
        JsonLines::check_unused(path)?;
        keep_previous(path)?;
        let answers = JsonLines::create(path)?;
        let failed = JsonLines::create(failed_path(path))?;
        write_json(settings_path(path), settings)?;
        Ok(Self { answers, failed, known: HashMap::new() })
    }

    /// Goes on with a record, or begins it if there is none.
    ///
    /// Questions that could not be asked are asked again, since their pictures may be there by now.
    ///
    /// # Errors
    ///
    /// Returns [`OtherSettings`](vigc_pipeline::Error::OtherSettings), which names what differs, if the record was begun
    /// with other settings, an error if a line is damaged, or one of [`create`](Self::create).
    pub fn resume(path: impl AsRef<Path>, settings: &AskerSettings) -> Result<Self> {
        let path = path.as_ref();
        let settings_path = settings_path(path);
        if !settings_path.exists() || !path.exists() {
            return Self::create(path, settings);
        }
        compare(&settings_path, path, settings)?;
        let answers = JsonLines::append_to(path)?;
        let failed = JsonLines::create(failed_path(path))?;
        let known = read_known(path)?;
        Ok(Self { answers, failed, known })
    }

    /// The file of answers.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.answers.path()
    }

    /// The answer on record, if it was asked for with this prompt.
    pub(super) fn text(&self, ask: &Ask) -> Result<Option<&str>> {
        let Some(known) = self.known.get(&ask.id) else { return Ok(None) };
        if known.prompt == ask.prompt {
            return Ok(Some(&known.text));
        }
        Err(AnswersError::OtherPrompt {
            path: self.path().to_owned(),
            id: ask.id.clone(),
            recorded: known.prompt.clone(),
            prompt: ask.prompt.clone(),
        })
    }

    pub(super) fn answer(&mut self, ask: &Ask, text: String) -> Result<()> {
        let line = Line { id: ask.id.clone(), text, prompt: ask.prompt.clone() };
        self.answers.write(&line)?;
        self.known.insert(line.id, Known { text: line.text, prompt: line.prompt });
        Ok(())
    }

    pub(super) fn fail(&mut self, failure: &Failure) -> Result<()> {
        Ok(self.failed.write(failure)?)
    }
}

fn read_known(path: &Path) -> Result<HashMap<String, Known>> {
    let mut known: HashMap<String, Known> = HashMap::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    for (index, line) in read_lines::<Line>(path)?.enumerate() {
        let Line { id, text, prompt } = line?;
        if let Some(first) = lines.insert(id.clone(), index + 1) {
            let (first, second) = (Place::Line(first), Place::Line(index + 1));
            return Err(AnswersError::Twice { path: path.to_owned(), id, first, second });
        }
        known.insert(id, Known { text, prompt });
    }
    Ok(known)
}

fn failed_path(path: &Path) -> PathBuf {
    beside(path, ".failed.jsonl")
}

fn settings_path(path: &Path) -> PathBuf {
    beside(path, ".settings.json")
}
