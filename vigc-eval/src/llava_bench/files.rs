//! The published files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vigc_core::files::read_json;

use super::Question;
use crate::json_lines;
use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::Row;
use vigc_pipeline::vigc::export::to_python_json;

/// Where the published files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlavaBenchFiles {
    /// `{question_id, image, text, category}` a line.
    pub questions: PathBuf,
    /// The reference answers, `{question_id, text}` a line.
    pub references: PathBuf,
    /// What the judge is told of the pictures, `{image, captions, instances}` a line.
    pub contexts: PathBuf,
    /// What the judge is told to do, `{category: {role, prompt}}`.
    pub rules: PathBuf,
}

impl LlavaBenchFiles {
    /// The names that the files are published under, in one folder.
    #[must_use]
    pub fn in_folder(folder: impl AsRef<Path>) -> Self {
        let file = |name: &str| folder.as_ref().join(name);
        Self {
            questions: file("qa90_questions.jsonl"),
            references: file("qa90_gpt4_answer.jsonl"),
            contexts: file("caps_boxes_coco2014_val_80.jsonl"),
            rules: file("rule.json"),
        }
    }
}

/// What the judge is told to do for a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) role: String,
    pub(super) prompt: String,
}

/// Reads a model's answers as LLaVA's `model_vqa.py` writes them, `{question_id, text}` a line, by question.
///
/// # Errors
///
/// [`DataError`] naming file, row and key; two answers to one question are one, too.
pub fn read_answers(path: impl AsRef<Path>) -> Result<HashMap<String, String>, DataError> {
    let mut answers = HashMap::new();
    json_lines::read(path.as_ref(), |row| {
        if answers.insert(name(row)?, row.text("text")?).is_some() {
            let found = row.get("question_id");
            return Err(row.wrong("question_id", found, "a question that has no answer yet"));
        }
        Ok(())
    })?;
    Ok(answers)
}

pub(super) fn read_questions(files: &LlavaBenchFiles) -> Result<Vec<Question>, DataError> {
    let mut sources = Sources {
        rules: read_rules(&files.rules)?,
        contexts: read_contexts(&files.contexts)?,
        references: read_answers(&files.references)?,
    };
    let path = files.questions.as_path();
    let questions = json_lines::read(path, |row| sources.question(row))?;
    if questions.is_empty() {
        return Err(DataError::Empty { name: path.display().to_string() });
    }
    Ok(questions)
}

/// What the other files say about a question.
struct Sources {
    rules: HashMap<String, Rule>,
    contexts: HashMap<String, String>,
    references: HashMap<String, String>,
}

impl Sources {
    fn question(&mut self, row: &Row<'_>) -> Result<Question, DataError> {
        let (id, image, category) = (name(row)?, row.text("image")?, row.text("category")?);
        let lacks = |key, what| row.wrong(key, row.get(key), what);
        let reference = self.references.remove(&id);
        let (context, rule) = (self.contexts.get(&image), self.rules.get(&category));
        Ok(Question {
            reference: reference
                .ok_or_else(|| lacks("question_id", "one with a reference answer of its own"))?,
            context: context
                .cloned()
                .ok_or_else(|| lacks("image", "one that the file of contexts has"))?,
            rule: rule
                .cloned()
                .ok_or_else(|| lacks("category", "one that the file of rules has"))?,
            text: row.text("text")?,
            id,
            image,
            category,
        })
    }
}

fn read_rules(path: &Path) -> Result<HashMap<String, Rule>, DataError> {
    let file: Map<String, Value> = read_json(path)?;
    let whole = Row { path, row: 0, object: &file };
    let rule = |(row, (category, value)): (usize, (&String, &Value))| {
        let Some(object) = value.as_object() else {
            return Err(whole.wrong("rule", Some(value), "an object with role and prompt"));
        };
        let row = Row { path, row, object };
        Ok((category.clone(), Rule { role: row.text("role")?, prompt: row.text("prompt")? }))
    };
    file.iter().enumerate().map(rule).collect()
}

/// The text about each picture: captions, an empty line, boxes.
fn read_contexts(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let context = |row: &Row<'_>| {
        let captions = row.texts("captions")?.join("\n");
        Ok((row.text("image")?, format!("{captions}\n\n{}", boxes(row)?)))
    };
    Ok(json_lines::read(path, context)?.into_iter().collect())
}

/// A line for each object, its box as Python prints a list.
fn boxes(row: &Row<'_>) -> Result<String, DataError> {
    let found = row.get("instances");
    let wrong = |found| row.wrong("instances", found, "objects with a category and a numeric bbox");
    let line = |instance: &Value| {
        let category = instance.get("category")?.as_str()?;
        let bbox = instance.get("bbox")?;
        let is_numeric = bbox.as_array()?.iter().all(Value::is_number);
        let bbox = to_python_json(bbox).ok().filter(|_| is_numeric)?;
        Some(format!("{category}: {bbox}"))
    };
    let instances = found.and_then(Value::as_array).ok_or_else(|| wrong(found))?;
    let lines =
        instances.iter().map(|instance| line(instance).ok_or_else(|| wrong(Some(instance))));
    Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

pub(super) fn name(row: &Row<'_>) -> Result<String, DataError> {
    let wrong = || row.wrong("question_id", row.get("question_id"), "a number or a string");
    row.name("question_id").ok_or_else(wrong)
}
