//! The questions, with everything that the judge is told about them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vigc_core::files::read_json;
use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::Row;
use vigc_pipeline::vigc::export::to_python_json;

use crate::answers::{AnswerMode, Query, QueryImage};
use crate::error::Result;
use crate::rows::{self, question_id};
use crate::suite::check_known;

/// The published files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlavaBenchFiles {
    /// The questions, `{question_id, image, text, category}` per line.
    pub questions: PathBuf,
    /// The reference answers, `{question_id, text}` per line.
    pub references: PathBuf,
    /// What the judge is told about the images, `{image, captions, instances}` per line.
    pub contexts: PathBuf,
    /// The instructions of the judge, `{category: {role, prompt}}`.
    pub rules: PathBuf,
}

impl LlavaBenchFiles {
    /// The files in a folder, by their published names.
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

/// A question of the benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its id, `question_id` in the files.
    pub id: String,
    /// The file name of the image.
    pub image: String,
    /// The question.
    pub text: String,
    /// `conv`, `detail` or `complex`.
    pub category: String,
    /// The reference answer, by a model that read captions and boxes.
    pub reference: String,
    /// Captions and boxes of the image.
    pub(super) context: String,
    pub(super) rule: Rule,
}

/// The judge's instructions for a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) role: String,
    pub(super) prompt: String,
}

/// The questions of LLaVA-Bench (COCO).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlavaBench {
    questions: Vec<Question>,
    images: PathBuf,
}

impl LlavaBench {
    /// Reads the published files. The folder `images` has the images by the names in the questions, or by those of COCO's
    /// `val2014`.
    ///
    /// # Errors
    ///
    /// [`DataError`] naming file, row and key, also if a question has no reference answer, context or rule.
    pub fn open(files: &LlavaBenchFiles, images: impl Into<PathBuf>) -> Result<Self, DataError> {
        Ok(Self { questions: read_questions(files)?, images: images.into() })
    }

    /// The questions, in the order of the file.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The queries to the model under test: the plain questions.
    #[must_use]
    pub fn queries(&self) -> Vec<Query> {
        let query = |question: &Question| Query {
            id: question.id.clone(),
            image: QueryImage::File(self.image(question)),
            prompt: question.text.clone(),
            mode: AnswerMode::Generate,
        };
        self.questions.iter().map(query).collect()
    }

    /// The image's file, by COCO's longer name if only that exists.
    pub(super) fn image(&self, question: &Question) -> PathBuf {
        let image = &question.image;
        let (plain, coco) =
            (self.images.join(image), self.images.join(format!("COCO_val2014_{image}")));
        if !plain.exists() && coco.exists() { coco } else { plain }
    }

    /// The position of each question by its id.
    pub(super) fn positions(&self) -> HashMap<&str, usize> {
        let ids = self.questions.iter().map(|question| question.id.as_str());
        ids.zip(0..).collect()
    }

    /// Refuses answers or judgments that belong to no question.
    pub(super) fn check<'a>(&self, ids: impl Iterator<Item = &'a String>) -> Result<()> {
        let known = self.positions();
        check_known(ids, |id| known.contains_key(id), "a question_id of the file of questions")
    }
}

fn read_questions(files: &LlavaBenchFiles) -> Result<Vec<Question>, DataError> {
    let mut sources = Sources {
        rules: read_rules(&files.rules)?,
        contexts: read_contexts(&files.contexts)?,
        references: read_references(&files.references)?,
    };
    let path = files.questions.as_path();
    let questions = rows::read(path, |row| sources.question(row))?;
    if questions.is_empty() {
        return Err(DataError::Empty { name: path.display().to_string() });
    }
    Ok(questions)
}

/// What the other files have about each question.
struct Sources {
    rules: HashMap<String, Rule>,
    contexts: HashMap<String, String>,
    references: HashMap<String, String>,
}

impl Sources {
    fn question(&mut self, row: &Row<'_>) -> Result<Question, DataError> {
        let (id, image, category) = (question_id(row)?, row.text("image")?, row.text("category")?);
        let lacks = |key, what| row.wrong(key, row.get(key), what);
        let reference = self.references.remove(&id);
        let (context, rule) = (self.contexts.get(&image), self.rules.get(&category));
        Ok(Question {
            reference: reference
                .ok_or_else(|| lacks("question_id", "the id of a reference answer"))?,
            context: context
                .cloned()
                .ok_or_else(|| lacks("image", "an image of the file of contexts"))?,
            rule: rule
                .cloned()
                .ok_or_else(|| lacks("category", "a category of the file of rules"))?,
            text: row.text("text")?,
            id,
            image,
            category,
        })
    }
}

/// Reads the reference answers by the ids of their questions.
fn read_references(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let mut references = HashMap::new();
    rows::read(path, |row| {
        if references.insert(question_id(row)?, row.text("text")?).is_some() {
            let found = row.get("question_id");
            return Err(row.wrong("question_id", found, "a question without another answer"));
        }
        Ok(())
    })?;
    Ok(references)
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

/// Reads the text about each image: captions, an empty line, boxes.
fn read_contexts(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let context = |row: &Row<'_>| {
        let captions = row.texts("captions")?.join("\n");
        Ok((row.text("image")?, format!("{captions}\n\n{}", boxes(row)?)))
    };
    Ok(rows::read(path, context)?.into_iter().collect())
}

/// A line for each object, with its box as Python prints a list.
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
