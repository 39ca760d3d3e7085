//! Files with a JSON object in each line.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use vigc_core::files::write_atomic;

use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::Row;
use vigc_pipeline::vigc::export::to_python_json;

/// Reads a file row by row; empty lines are none.
pub(super) fn read<T>(
    path: &Path,
    mut parse: impl FnMut(&Row<'_>) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let text = fs::read_to_string(path)
        .map_err(|source| vigc_core::Error::Read { path: path.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let row = |(row, line): (usize, &str)| {
        let object: Map<String, Value> = serde_json::from_str(line).map_err(|_| {
            let whole = Row { path, row, object: &Map::new() };
            whole.wrong("row", Some(&Value::from(line)), "a JSON object")
        })?;
        parse(&Row { path, row, object: &object })
    };
    lines.map(row).collect()
}

/// Writes a file, whole or not at all, each line as Python's `json.dumps` writes it.
pub(super) fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), DataError> {
    let mut text = String::new();
    for row in rows {
        let line = to_python_json(row)
            .map_err(|source| vigc_core::Error::Json { path: path.to_owned(), source })?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(write_atomic(path, text.as_bytes())?)
}
