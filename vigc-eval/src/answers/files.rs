//! Files of answers: the record that a run continues, and the files of other programs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vigc_core::files::{read_json, write_json};
use vigc_core::json_lines::{JsonLines, LineReader, read_lines};
use vigc_pipeline::vigc::settings::{beside, compare, keep_previous};

use super::query::{Answers, Failure, Query, RunnerSettings};
use crate::error::{Error, Place, Result};

/// The record of a suite's answers: a JSON Lines file of answers, one of failures, and the settings.
///
/// Beside `answers.jsonl` there are `answers.jsonl.failed.jsonl` and `answers.jsonl.settings.json`. A line of
/// answers holds `id`, `text` and `prompt`. It is written before the next batch is asked, so a killed run loses at
/// most one batch.
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
    /// Starts a record. An earlier one of the same name is renamed to `….previous`.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] or [`Error::Pipeline`] if a file cannot be written or another process is writing to it.
    pub fn create(path: impl AsRef<Path>, settings: &RunnerSettings) -> Result<Self> {
        let path = path.as_ref();
        // The lock comes first, so that the files of another run stay as they are.
        JsonLines::check_unused(path)?;
        keep_previous(path)?;
        let answers = JsonLines::create(path)?;
        let failed = JsonLines::create(failed_path(path))?;
        write_json(settings_path(path), settings)?;
        Ok(Self { answers, failed, known: HashMap::new() })
    }

    /// Continues a record, or starts it if there is none.
    ///
    /// Queries that could not be asked are asked again, because their images may be there by now.
    ///
    /// # Errors
    ///
    /// [`OtherSettings`](vigc_pipeline::Error::OtherSettings), which names the differences, if the record was started
    /// with other settings; [`Error::Core`] if a line is damaged; [`Error::AnsweredTwice`] if a query has two answers;
    /// and the errors of [`create`](Self::create).
    pub fn resume(path: impl AsRef<Path>, settings: &RunnerSettings) -> Result<Self> {
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

    /// The answer on record, provided that it was given to the same prompt.
    pub(super) fn text(&self, query: &Query) -> Result<Option<&str>> {
        let Some(known) = self.known.get(&query.id) else { return Ok(None) };
        let prompt = query.recorded_prompt();
        if known.prompt == prompt {
            return Ok(Some(&known.text));
        }
        Err(Error::OtherPrompt {
            path: self.path().to_owned(),
            id: query.id.clone(),
            recorded: known.prompt.clone(),
            prompt: prompt.into_owned(),
        })
    }

    pub(super) fn answer(&mut self, query: &Query, text: String) -> Result<()> {
        let line =
            Line { id: query.id.clone(), text, prompt: query.recorded_prompt().into_owned() };
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
    for (line, number) in read_lines::<Line>(path)?.zip(1..) {
        let Line { id, text, prompt } = line?;
        if let Some(first) = lines.insert(id.clone(), number) {
            let (first, second) = (Place::Line(first), Place::Line(number));
            return Err(Error::AnsweredTwice { path: path.to_owned(), id, first, second });
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

/// The keys that hold a question's id and its answer in a file of answers.
///
/// An entry must have exactly one key of each list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerKeys {
    /// The keys of the id, a string or a number.
    pub ids: &'static [&'static str],
    /// The keys of the answer, a string.
    pub texts: &'static [&'static str],
}

impl Default for AnswerKeys {
    /// `id` or `question_id`; `text` as LLaVA writes answers, or `answer` as VQA's result files have them.
    fn default() -> Self {
        Self { ids: &["id", "question_id"], texts: &["text", "answer"] }
    }
}

impl Answers {
    /// Reads answers that this or another program wrote, with the default [`AnswerKeys`].
    ///
    /// # Errors
    ///
    /// As [`read_with`](Self::read_with).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_with(path, &AnswerKeys::default())
    }

    /// Reads answers: one JSON object per line, or one list of objects. Other keys and blank lines are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the file cannot be read, [`Error::Value`] naming file, place and key if an entry is not
    /// an answer, [`Error::AnsweredTwice`] if two entries have the same id.
    pub fn read_with(path: impl AsRef<Path>, keys: &AnswerKeys) -> Result<Self> {
        let path = path.as_ref();
        let mut places: HashMap<String, Place> = HashMap::new();
        let mut texts = HashMap::new();
        for (place, value) in values(path)? {
            let (id, text) = EntryAt { path, place, value: &value }.answer(keys)?;
            match places.entry(id.clone()) {
                Entry::Occupied(first) => {
                    let (path, first, second) = (path.to_owned(), *first.get(), place);
                    return Err(Error::AnsweredTwice { path, id, first, second });
                }
                Entry::Vacant(free) => free.insert(place),
            };
            texts.insert(id, text);
        }
        Ok(Self { texts, failures: Vec::new() })
    }
}

/// The values of a list, or one per line.
fn values(path: &Path) -> Result<Vec<(Place, Value)>> {
    let mut values = Vec::new();
    for line in LineReader::open(path)? {
        let line = line?;
        if values.is_empty() && line.text.trim_ascii_start().starts_with(b"[") {
            let rows: Vec<Value> = read_json(path)?;
            return Ok((0..).map(Place::Row).zip(rows).collect());
        }
        if !line.is_blank() {
            values.push((Place::Line(line.number), line.parse(path)?));
        }
    }
    Ok(values)
}

/// An entry of a file, with its place for errors.
struct EntryAt<'a> {
    path: &'a Path,
    place: Place,
    value: &'a Value,
}

impl EntryAt<'_> {
    /// The question's id and the answer.
    fn answer(&self, keys: &AnswerKeys) -> Result<(String, String)> {
        let Some(object) = self.value.as_object() else {
            return Err(self.wrong("answer", Some(self.value), "an object"));
        };
        let (key, id) = self.only_one(object, keys.ids)?;
        let id = match id {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            other => return Err(self.wrong(key, other, "a string or a number")),
        };
        let (key, text) = self.only_one(object, keys.texts)?;
        let Some(Value::String(text)) = text else {
            return Err(self.wrong(key, text, "a string"));
        };
        Ok((id, text.clone()))
    }

    /// The value at one of several keys. With two of them it would be open which one is meant.
    fn only_one<'a>(
        &self,
        object: &'a Map<String, Value>,
        keys: &[&'static str],
    ) -> Result<(&'static str, Option<&'a Value>)> {
        let mut found = keys.iter().filter_map(|&key| Some((key, object.get(key)?)));
        match (found.next(), found.next()) {
            (_, Some((key, second))) => {
                Err(self.wrong(key, Some(second), "only one of several keys with this meaning"))
            }
            (Some((key, value)), None) => Ok((key, Some(value))),
            (None, None) => Ok((keys.first().copied().unwrap_or_default(), None)),
        }
    }

    fn wrong(&self, key: &'static str, found: Option<&Value>, expected: &'static str) -> Error {
        let found = found
            .map_or("missing".to_owned(), |found| found.to_string().chars().take(60).collect());
        Error::Value { path: self.path.to_owned(), place: self.place, key, found, expected }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(content: &str) -> Result<Answers> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.json");
        fs::write(&path, content).unwrap();
        Answers::read(path)
    }

    #[test]
    fn lines_and_lists_of_other_programs_are_read() {
        let cases = [
            "{\"id\": \"1\", \"text\": \"yes\"}\n{\"id\": \"b\", \"text\": \"\"}\n",
            "\n{\"question_id\": 1, \"prompt\": \"p\", \"text\": \"yes\", \"model_id\": \"m\"}\r\n{\"question_id\": \"b\", \"text\": \"\"}",
            " [{\"question_id\": 1, \"answer\": \"yes\"},\n{\"question_id\": \"b\", \"answer\": \"\"}]",
        ];
        for case in cases {
            let texts = read(case).unwrap().texts;
            let expected = [("1", "yes"), ("b", "")].map(|(id, text)| (id.into(), text.into()));
            assert_eq!(texts, HashMap::from(expected), "{case}");
        }
        assert_eq!(read("").unwrap(), Answers::default());
    }

    #[test]
    fn errors_name_file_place_and_key() {
        let cases = [
            (
                "{\"id\": 1, \"text\": \"a\"}\n\n{\"question_id\": \"1\", \"text\": \"b\"}",
                "line 1 and line 3 both answer \"1\"",
            ),
            (
                "[{\"id\": 1, \"text\": \"a\"}, {\"id\": 1, \"text\": \"b\"}]",
                "row 0 and row 1 both answer",
            ),
            ("{\"id\": 1}", "line 1: text is missing, expected a string"),
            ("{\"text\": \"a\"}", "line 1: id is missing"),
            (
                "[{\"question_id\": null, \"text\": \"a\"}]",
                "row 0: question_id is null, expected a string or a number",
            ),
            ("{\"id\": 1, \"answer\": 5}", "answer is 5, expected a string"),
            (
                "{\"id\": 1, \"text\": \"Is it?\", \"answer\": \"no\"}",
                "answer is \"no\", expected only one of several keys with this meaning",
            ),
            ("[7]", "row 0: answer is 7, expected an object"),
            ("[{\"id\": 1}", "answers.json is not valid"),
            ("{\"id\": 1, \"text\": \"a\"}\n{\"id\":", "line 2 is not a row"),
        ];
        for (content, expected) in cases {
            let error = read(content).unwrap_err().to_string();
            assert!(error.contains("answers.json") && error.contains(expected), "{error}");
        }
    }
}
