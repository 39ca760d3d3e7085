//! Visual question answering: OKVQA, A-OKVQA and VQAv2.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vigc_core::files::read_json;

use super::DataError;
use super::annotation::{Annotation, Annotations, Row, counted, read_rows};

/// Reads rows `{image, question, answer: [..]}`, as the reference keeps OKVQA and VQAv2.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_okvqa(path: impl AsRef<Path>) -> Result<Annotations, DataError> {
    read(path.as_ref(), okvqa_row)
}

/// One row `{image, question, answer: [..]}`.
pub fn okvqa_row(row: &Row<'_>) -> Result<Annotation, DataError> {
    Ok(Annotation {
        image: row.text("image")?.into(),
        question: row.text("question")?,
        answers: counted(row.texts("answer")?),
        choices: None,
        question_id: row.name("question_id"),
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
    read(path.as_ref(), aokvqa_row)
}

/// One row of A-OKVQA.
pub fn aokvqa_row(row: &Row<'_>) -> Result<Annotation, DataError> {
    let answers = match row.get("direct_answers") {
        Some(_) => counted(row.texts("direct_answers")?),
        None => Vec::new(),
    };
    let choices = aokvqa_choices(row)?;
    let right = match row.get("correct_choice_idx") {
        Some(_) => usize::try_from(row.number("correct_choice_idx")?).ok(),
        None => None,
    };
    if let (Some(right), Some(choices)) = (right, &choices)
        && right >= choices.len()
    {
        let found = row.get("correct_choice_idx");
        return Err(row.wrong("correct_choice_idx", found, "the place of a choice"));
    }
    Ok(Annotation {
        image: aokvqa_image(row)?,
        question: row.text("question")?,
        answers,
        choices: choices.zip(right),
        question_id: row.name("question_id"),
    })
}

/// The choices of a row of A-OKVQA, whether or not the right one is known.
pub fn aokvqa_choices(row: &Row<'_>) -> Result<Option<Vec<String>>, DataError> {
    match row.get("choices") {
        Some(Value::Array(choices)) if choices.is_empty() => Ok(None),
        Some(_) => row.texts("choices").map(Some),
        None => Ok(None),
    }
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
    let (path, annotations) = (questions.as_ref(), annotations.as_ref());
    let rows = read_vqav2(path, Some(annotations), image_name, given_answers)?;
    let answered = |(row, answers): (Annotation, _)| Annotation { answers, ..row };
    Ok(Annotations { path: path.to_owned(), rows: rows.into_iter().map(answered).collect() })
}

/// The questions of VQAv2 and OKVQA without answers, each with what `annotation` reads from its
/// row of the second file; with nothing if there is no such file, as for test splits.
pub fn read_vqav2<T: Default>(
    questions: &Path,
    annotations: Option<&Path>,
    image_name: &str,
    annotation: impl Fn(&Row<'_>) -> Result<T, DataError>,
) -> Result<Vec<(Annotation, T)>, DataError> {
    let mut known = HashMap::new();
    if let Some(path) = annotations {
        for (row, object) in read_list(path, "annotations")?.into_iter().enumerate() {
            let row = Row { path, row, object: &object };
            known.insert(row.number("question_id")?, annotation(&row)?);
        }
    }
    let mut rows = Vec::new();
    for (row, object) in read_list(questions, "questions")?.into_iter().enumerate() {
        let row = Row { path: questions, row, object: &object };
        let id = row.number("question_id")?;
        let found = known.remove(&id);
        if found.is_none() && annotations.is_some() {
            return Err(row.wrong("question_id", row.get("question_id"), "one that has answers"));
        }
        let digits = format!("{:012}", row.number("image_id")?);
        let question = Annotation {
            image: image_name.replace("{}", &digits).into(),
            question: row.text("question")?,
            answers: Vec::new(),
            choices: None,
            question_id: Some(id.to_string()),
        };
        rows.push((question, found.unwrap_or_default()));
    }
    Ok(rows)
}

/// The answers of a row of VQAv2's or OKVQA's annotations, counted.
pub fn given_answers(row: &Row<'_>) -> Result<Vec<(String, f64)>, DataError> {
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
    let mut file: Map<String, Value> = read_json(path)?;
    let found = file.remove(key);
    let row = |row| Row { path, row, object: &file };
    let Some(Value::Array(list)) = found else {
        return Err(row(0).wrong(key, found.as_ref(), "a list of objects"));
    };
    let object = |(index, value)| match value {
        Value::Object(object) => Ok(object),
        other => Err(row(index).wrong(key, Some(&other), "an object")),
    };
    list.into_iter().enumerate().map(object).collect()
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
