//! LLaVA's instruction data, in the upstream program's format and in LLaVA's own.

use std::path::Path;

use serde_json::Value;

use super::annotation::{Annotation, Annotations, Row, count_answers, read_rows};
use super::error::DataError;

/// Reads LLaVA's instruction data.
///
/// The upstream program's rows are `{image, question, answer: [..]}`. LLaVA's own rows are `{id, image,
/// conversations: [{from, value}, ..]}`: each question with its answer becomes an annotation, without the mark `<image>`.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_llava(path: impl AsRef<Path>) -> Result<Annotations, DataError> {
    let path = path.as_ref();
    let mut rows = Vec::new();
    for (row, object) in read_rows(path)?.iter().enumerate() {
        let row = Row { path, row, object };
        match row.get("conversations") {
            Some(Value::Array(turns)) => rows.extend(conversation(&row, turns)?),
            Some(other) => return Err(row.wrong("conversations", Some(other), "a list")),
            None => rows.push(single(&row)?),
        }
    }
    Ok(Annotations { path: path.to_owned(), rows })
}

fn single(row: &Row<'_>) -> Result<Annotation, DataError> {
    Ok(Annotation {
        image: row.text("image")?.into(),
        question: row.text("question")?,
        answers: count_answers(row.texts("answer")?),
        choices: None,
        question_id: row.name("question_id"),
    })
}

fn conversation(row: &Row<'_>, turns: &[Value]) -> Result<Vec<Annotation>, DataError> {
    let image = row.text("image")?;
    let id = row.name("id").unwrap_or_else(|| image.clone());
    let said = |turn: &Value, by: &str| {
        let text = (turn.get("from")?.as_str()? == by).then(|| turn.get("value")?.as_str())??;
        Some(text.replace("<image>", "").trim().to_owned())
    };
    let (pairs, rest) = turns.as_chunks::<2>();
    let expected = "questions from \"human\", each followed by an answer from \"gpt\"";
    if let [odd, ..] = rest {
        return Err(row.wrong("conversations", Some(odd), expected));
    }
    let pair = |(turn, [human, gpt]): (usize, &[Value; 2])| {
        let wrong = |found| row.wrong("conversations", Some(found), expected);
        Ok(Annotation {
            image: image.clone().into(),
            question: said(human, "human").ok_or_else(|| wrong(human))?,
            answers: vec![(said(gpt, "gpt").ok_or_else(|| wrong(gpt))?, 1.0)],
            choices: None,
            question_id: Some(format!("{id}_{turn}")),
        })
    };
    pairs.iter().enumerate().map(pair).collect()
}
