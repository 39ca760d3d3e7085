//! Rows of the JSON Lines files that benchmarks are published as.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use vigc_core::files::AtomicFile;
use vigc_core::json_lines::LineReader;
use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::Row;
use vigc_pipeline::vigc::export::to_python_json;

/// Parses every row of a file. Blank lines are skipped.
pub(crate) fn read<T>(
    path: &Path,
    mut parse: impl FnMut(&Row<'_>) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let mut rows = Vec::new();
    for line in LineReader::open(path)? {
        let line = line?;
        if !line.is_blank() {
            let object: Map<String, Value> = line.parse(path)?;
            rows.push(parse(&Row { path, row: line.number - 1, object: &object })?);
        }
    }
    Ok(rows)
}

/// Writes each row as Python's `json.dumps` would. The file is written completely or not at all.
pub(crate) fn write<T: Serialize>(path: &Path, rows: &[T]) -> vigc_core::Result<()> {
    let mut file = AtomicFile::create(path)?;
    for row in rows {
        let line = to_python_json(row)
            .map_err(|source| vigc_core::Error::Json { path: path.to_owned(), source })?;
        file.write(line.as_bytes())?;
        file.write(b"\n")?;
    }
    file.commit()
}

/// The id of a row's question, a number or a string.
pub(crate) fn question_id(row: &Row<'_>) -> Result<String, DataError> {
    let wrong = || row.wrong("question_id", row.get("question_id"), "a number or a string");
    row.name("question_id").ok_or_else(wrong)
}
