//! The pictures of a table, each kept once.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Entry;
use super::row::Row;
use crate::mmbench::MmbenchError;

/// A cell for a picture of at most this many characters is the index of the row that holds it
/// (VLMEvalKit, `dataset/image_base.py`).
const REFERENCE_LEN: usize = 64;

/// The pictures of a table, each once.
#[derive(Default)]
pub(super) struct Pictures {
    distinct: HashSet<Arc<[u8]>>,
    by_index: HashMap<u64, Arc<[u8]>>,
    references: Vec<Reference>,
}

/// A row that shows the picture of another.
struct Reference {
    entry: usize,
    target: String,
    line: u64,
}

impl Pictures {
    /// The picture of a row; nothing yet if the cell names another row.
    pub(super) fn add(
        &mut self,
        row: &Row<'_>,
        entry: usize,
        index: u64,
        cell: &str,
    ) -> Result<Arc<[u8]>, MmbenchError> {
        if cell.len() <= REFERENCE_LEN {
            self.references.push(Reference { entry, target: cell.to_owned(), line: row.line });
            return Ok(Arc::default());
        }
        let wrong = |_| row.wrong("image", cell.as_bytes(), "a picture in base64");
        let bytes = BASE64_STANDARD.decode(cell).map_err(wrong)?;
        let picture = match self.distinct.get(bytes.as_slice()) {
            Some(known) => Arc::clone(known),
            None => Arc::from(bytes),
        };
        self.distinct.insert(Arc::clone(&picture));
        self.by_index.insert(index, Arc::clone(&picture));
        Ok(picture)
    }

    /// In the file's order: a row may name one whose picture is its own, or was found before.
    pub(super) fn resolve(
        mut self,
        path: &Path,
        entries: &mut [Entry],
    ) -> Result<(), MmbenchError> {
        for Reference { entry, target, line } in std::mem::take(&mut self.references) {
            let target_index = target.trim().parse::<u64>().ok();
            let picture = target_index.and_then(|index| self.by_index.get(&index)).cloned();
            let picture = picture.ok_or_else(|| MmbenchError::Cell {
                path: path.to_owned(),
                line,
                column: "image",
                found: format!("{target:?}"),
                expected: "a picture in base64 or the index of a row that has one",
            })?;
            let entry = &mut entries[entry];
            self.by_index.insert(entry.index, Arc::clone(&picture));
            entry.picture = picture;
        }
        Ok(())
    }
}
