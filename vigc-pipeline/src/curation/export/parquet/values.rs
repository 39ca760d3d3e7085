//! What a row has in each column.

use ::parquet::data_type::ByteArray;

use crate::curation::export::columns::COLUMNS;
use crate::curation::{CurationError, Row};
use crate::vigc::StopReason;

/// What a row has in a column.
pub(super) enum Value {
    Image(ByteArray, ByteArray),
    One(Option<Plain>),
    List(Vec<Vec<Plain>>),
}

/// A value that is not composed of others.
pub(super) enum Plain {
    Text(ByteArray),
    Number(f32),
    Flag(bool),
}

/// What a row has in each column.
pub(super) fn values(
    row: &Row,
    line: usize,
    picture: ByteArray,
    picture_name: &str,
) -> Result<[Value; COLUMNS.len()], CurationError> {
    let one = |value: &str| Value::One(Some(text(value)));
    let settings = row
        .settings()
        .map_err(|source| vigc_core::Error::Json { path: "settings".into(), source })?;
    Ok([
        Value::Image(picture, picture_name.into()),
        one(&format!("{}-{}-{line}", row.image_id(), row.task())),
        one(row.image_id()),
        one(row.task().name()),
        one(row.question()),
        one(row.answer()),
        one(row.draft()),
        conversations(row),
        answers(row),
        Value::One(changed(row).map(Plain::Flag)),
        Value::One(row.log_prob_per_token().map(Plain::Number)),
        Value::One(stop(row).map(|stop| text(&stop))),
        one(row.instruction()),
        one(row.model()),
        one(&settings),
    ])
}

fn text(text: &str) -> Plain {
    Plain::Text(text.into())
}

fn conversations(row: &Row) -> Value {
    let turns = row.llava().conversations.into_iter();
    Value::List(turns.map(|turn| vec![text(&turn.from), text(&turn.value)]).collect())
}

fn answers(row: &Row) -> Value {
    let Row::Knowledge(row) = row else { return Value::List(Vec::new()) };
    let answers = row.answers.iter();
    let answer = answers.map(|answer| vec![text(&answer.text), Plain::Number(answer.weight)]);
    Value::List(answer.collect())
}

fn changed(row: &Row) -> Option<bool> {
    match row {
        Row::Instruction(sample) if sample.stop != StopReason::NotCorrected => {
            Some(sample.is_changed())
        }
        Row::Instruction(_) | Row::Knowledge(_) => None,
    }
}

fn stop(row: &Row) -> Option<String> {
    let Row::Instruction(sample) = row else { return None };
    serde_json::to_value(sample.stop).ok()?.as_str().map(str::to_owned)
}
