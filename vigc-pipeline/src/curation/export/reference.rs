//! The reference's rows.

use super::{ExportFormat, Kept, Written};
use crate::Result;
use crate::curation::{CurationError, Row};
use crate::vigc::export::write_list;

/// Writes `reference.json`, and `question_answer.json` for short answers: byte for byte as the original program writes
/// such rows. A file without rows is not written.
pub(super) fn write(kept: &mut Kept<'_>) -> Result<Written, CurationError> {
    let short = kept.statistics.knowledge_rows();
    let long = kept.statistics.rows() - short;
    let mut files = Vec::new();
    for (name, rows, is_short) in
        [("reference.json", long, false), ("question_answer.json", short, true)]
    {
        if rows == 0 {
            continue;
        }
        let path = kept.folder.join(name);
        let rows = kept.rows().filter_map(|located| match located {
            Ok(located) if matches!(located.row, Row::Knowledge(_)) != is_short => None,
            located => Some(located.map(|located| located.row.reference())),
        });
        write_list(&path, ["[", ", ", "]"], rows)?;
        files.push(path);
    }
    kept.written(ExportFormat::Reference, &files, 0)
}
