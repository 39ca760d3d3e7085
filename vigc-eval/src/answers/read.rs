//! Answers in files of others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::{Answers, AnswersError, Place, Result};

impl Answers {
    /// Reads answers that this or another program wrote: one JSON object a line, or one list of them.
    ///
    /// The question's name is at `id` or `question_id`, a string or a number; the answer is at `text`,
    /// as LLaVA writes it, or at `answer`, as VQA's results have it. Other keys are left aside, and
    /// so are empty lines.
    ///
    /// # Errors
    ///
    /// [`AnswersError`] naming file, line or row, and key; also if a question is answered twice.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = |source| vigc_pipeline::Error::Read { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(read)?;
        let mut places: HashMap<String, Place> = HashMap::new();
        let mut texts = HashMap::new();
        for (place, value) in values(path, &text)? {
            let (id, text) = Given { path, place, value: &value }.answer()?;
            match places.entry(id.clone()) {
                Entry::Occupied(first) => {
                    let (path, first, second) = (path.to_owned(), *first.get(), place);
                    return Err(AnswersError::Twice { path, id, first, second });
                }
                Entry::Vacant(free) => free.insert(place),
            };
            texts.insert(id, text);
        }
        Ok(Self { texts, failures: Vec::new() })
    }
}

/// The values of a list, or of lines.
fn values(path: &Path, text: &str) -> Result<Vec<(Place, Value)>> {
    if text.trim_start().starts_with('[') {
        let wrong = |error: serde_json::Error| AnswersError::Form {
            path: path.to_owned(),
            found: error.to_string(),
        };
        let rows: Vec<Value> = serde_json::from_str(text).map_err(wrong)?;
        return Ok(rows.into_iter().enumerate().map(|(row, v)| (Place::Row(row), v)).collect());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let value = |(index, line): (usize, &str)| {
        let path = path.to_owned();
        let wrong = |source| vigc_core::Error::Line { path, line: index + 1, source };
        Ok((Place::Line(index + 1), serde_json::from_str(line).map_err(wrong)?))
    };
    lines.map(value).collect()
}

/// What stands in place of an answer.
struct Given<'a> {
    path: &'a Path,
    place: Place,
    value: &'a Value,
}

impl Given<'_> {
    /// The question's name and the answer.
    fn answer(&self) -> Result<(String, String)> {
        let Some(object) = self.value.as_object() else {
            return Err(self.wrong("answer", Some(self.value), "an object"));
        };
        let (key, id) = self.one_of(object, ["id", "question_id"])?;
        let id = match id {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            other => return Err(self.wrong(key, other, "a string or a number")),
        };
        let (key, text) = self.one_of(object, ["text", "answer"])?;
        let Some(Value::String(text)) = text else {
            return Err(self.wrong(key, text, "a string"));
        };
        Ok((id, text.clone()))
    }

    /// The value at one of two keys. Both would leave open which is meant.
    fn one_of<'a>(
        &self,
        object: &'a Map<String, Value>,
        [key, other]: [&'static str; 2],
    ) -> Result<(&'static str, Option<&'a Value>)> {
        match (object.get(key), object.get(other)) {
            (Some(_), Some(found)) => Err(self.wrong(
                other,
                Some(found),
                match key {
                    "id" => "nothing beside id",
                    _ => "nothing beside text",
                },
            )),
            (None, Some(found)) => Ok((other, Some(found))),
            (found, None) => Ok((key, found)),
        }
    }

    fn wrong(
        &self,
        key: &'static str,
        found: Option<&Value>,
        expected: &'static str,
    ) -> AnswersError {
        let found = found
            .map_or("missing".to_owned(), |found| found.to_string().chars().take(60).collect());
        AnswersError::Entry { path: self.path.to_owned(), place: self.place, key, found, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Answers> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.json");
        fs::write(&path, content).unwrap();
        Answers::read(path)
    }

    #[test]
    fn lines_and_lists_of_others_are_read() {
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
                "answer is \"no\", expected nothing beside text",
            ),
            ("[7]", "row 0: answer is 7, expected an object"),
            ("[{\"id\": 1}", "expected an answer a line or a JSON list"),
            ("{\"id\": 1, \"text\": \"a\"}\n{\"id\":", "line 2 is not a row"),
        ];
        for (content, expected) in cases {
            let error = read(content).unwrap_err().to_string();
            assert!(error.contains("answers.json") && error.contains(expected), "{error}");
        }
    }
}
