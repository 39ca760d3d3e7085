//! Visual question answering: OKVQA, A-OKVQA and VQAv2.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vigc_core::config::read_json;

use super::DataError;
use super::annotation::{Annotation, Annotations, Row, counted, read_rows};

/// Reads rows `{image, question, answer: [..]}`, as the reference keeps OKVQA and VQAv2.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_okvqa(path: impl AsRef<Path>) -> Result<Annotations, DataError> {
    read(path.as_ref(), |row| {
        Ok(Annotation {
            image: row.text("image")?.into(),
            question: row.text("question")?,
            answers: counted(row.texts("answer")?),
            choices: None,
            question_id: row.name("question_id"),
        })
    })
}

/// Reads A-OKVQA: `{image_path | image | image_id, question, direct_answers, choices,
/// correct_choice_idx}`. Rows of the test split have no answers.
///
/// An `image_id` alone stands for COCO's file name, `000000000042.jpg`.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_aokvqa(path: impl AsRef<Path>) -> Result<Annotations, DataError> {
    read(path.as_ref(), |row| {
        let answers = match row.get("direct_answers") {
            Some(_) => counted(row.texts("direct_answers")?),
            None => Vec::new(),
        };
        let choices = match row.get("choices") {
            Some(Value::Array(choices)) if choices.is_empty() => None,
            Some(_) => Some(row.texts("choices")?),
            None => None,
        };
        let right = match row.get("correct_choice_idx") {
            Some(_) => usize::try_from(row.number("correct_choice_idx")?).ok(),
            None => None,
        };
        Ok(Annotation {
            image: aokvqa_image(row)?,
            question: row.text("question")?,
            answers,
            choices: choices.zip(right),
            question_id: row.name("question_id"),
        })
    })
}

fn aokvqa_image(row: &Row<'_>) -> Result<PathBuf, DataError> {
    for key in ["image_path", "image"] {
        if row.get(key).is_some() {
            return row.text(key).map(PathBuf::from);
        }
    }
    Ok(format!("{:012}.jpg", row.number("image_id")?).into())
}

/// Reads the files that VQAv2 and OKVQA are published as: `{questions: [{image_id, question,
/// question_id}]}` and `{annotations: [{question_id, answers: [{answer}]}]}`.
///
/// Images are named as `image_name` says, COCO's `{}` being the twelve digits of the id.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_vqav2(
    questions: impl AsRef<Path>,
    annotations: impl AsRef<Path>,
    image_name: &str,
) -> Result<Annotations, DataError> {
    let (path, answers_path) = (questions.as_ref(), annotations.as_ref());
    let mut answers = HashMap::new();
    for (row, object) in read_list(answers_path, "annotations")?.iter().enumerate() {
        let row = Row { path: answers_path, row, object };
        answers.insert(row.number("question_id")?, given_answers(&row)?);
    }
    let mut rows = Vec::new();
    for (row, object) in read_list(path, "questions")?.iter().enumerate() {
        let row = Row { path, row, object };
        let id = row.number("question_id")?;
        let digits = format!("{:012}", row.number("image_id")?);
        rows.push(Annotation {
            image: image_name.replace("{}", &digits).into(),
            question: row.text("question")?,
            answers: answers.remove(&id).ok_or_else(|| {
                row.wrong("question_id", row.get("question_id"), "one that has answers")
            })?,
            choices: None,
            question_id: Some(id.to_string()),
        });
    }
    Ok(Annotations { path: path.to_owned(), rows })
}

fn given_answers(row: &Row<'_>) -> Result<Vec<(String, f64)>, DataError> {
    let found = row.get("answers");
    let wrong = || row.wrong("answers", found, "a list of objects with an answer");
    let answers = found.and_then(Value::as_array).ok_or_else(wrong)?;
    let answer = |answer: &Value| Some(answer.get("answer")?.as_str()?.to_owned());
    Ok(counted(answers.iter().map(answer).collect::<Option<_>>().ok_or_else(wrong)?))
}

/// The objects of the list at `key`.
pub(super) fn read_list(
    path: &Path,
    key: &'static str,
) -> Result<Vec<Map<String, Value>>, DataError> {
    let file: Map<String, Value> = read_json(path)?;
    let whole = Row { path, row: 0, object: &file };
    let list = file.get(key).and_then(Value::as_array);
    let list = list.ok_or_else(|| whole.wrong(key, file.get(key), "a list of objects"))?;
    let object = |(row, value): (usize, &Value)| {
        let wrong = || Row { path, row, object: &file }.wrong(key, Some(value), "an object");
        value.as_object().cloned().ok_or_else(wrong)
    };
    list.iter().enumerate().map(object).collect()
}

fn read(
    path: &Path,
    annotation: impl Fn(&Row<'_>) -> Result<Annotation, DataError>,
) -> Result<Annotations, DataError> {
    let objects = read_rows(path)?;
    let rows =
        objects.iter().enumerate().map(|(row, object)| annotation(&Row { path, row, object }));
    Ok(Annotations { path: path.to_owned(), rows: rows.collect::<Result<_, _>>()? })
}
