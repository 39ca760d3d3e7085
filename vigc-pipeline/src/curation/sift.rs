//! All rows through the gates, into one of two files.

use serde::Serialize;

use super::card::{RowCounts, Statistics};
use super::gates::{Gates, Reason, ShingleCounts};
use super::line_file::LineFile;
use super::{CurationError, Located, Rows};

/// What stands before a dropped row.
#[derive(Serialize)]
struct Head<'a> {
    gate: &'a str,
    reason: &'a str,
    detail: &'a str,
    file: String,
    line: usize,
}

/// Counts the shingles of all rows; `progress` hears of each row, with its bytes.
pub(super) fn count(
    rows: Rows,
    progress: &mut dyn FnMut(u64),
) -> Result<ShingleCounts, CurationError> {
    let mut counts = ShingleCounts::default();
    for located in rows {
        let Located { row, text, .. } = located?;
        counts.add(&row);
        progress(text.len() as u64 + 1);
    }
    Ok(counts)
}

/// Writes each row to `kept`, as it stands, or to `dropped`, with gate and reason.
pub(super) fn sift(
    rows: Rows,
    gates: &mut Gates,
    [kept, dropped]: [&mut LineFile; 2],
    progress: &mut dyn FnMut(u64),
) -> Result<(RowCounts, Statistics), CurationError> {
    let mut counts = RowCounts::default();
    let mut statistics = Statistics::default();
    for located in rows {
        let located = located?;
        counts.read += 1;
        match gates.sift(&located.row) {
            None => {
                counts.kept += 1;
                statistics.add(&located.row, kept.bytes());
                kept.write(&[&located.text])?;
            }
            Some((gate, reason)) => {
                counts.dropped += 1;
                drop_row(dropped, &located, gate, &reason)?;
            }
        }
        progress(located.text.len() as u64 + 1);
    }
    kept.finish()?;
    dropped.finish()?;
    Ok((counts, statistics))
}

fn drop_row(
    dropped: &mut LineFile,
    located: &Located,
    gate: &str,
    reason: &Reason,
) -> Result<(), CurationError> {
    let head = Head {
        gate,
        reason: reason.name,
        detail: &reason.detail,
        file: located.place.path.to_string_lossy().into_owned(),
        line: located.place.line,
    };
    let path = dropped.path().to_owned();
    let head =
        serde_json::to_string(&head).map_err(|source| vigc_core::Error::Json { path, source })?;
    let open = head.trim_end_matches('}');
    dropped.write(&[open.as_bytes(), b",\"row\":", &located.text, b"}"])
}
