//! LLaVA's conversations.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use super::{ExportFormat, Kept, Written};
use crate::Result;
use crate::curation::fingerprint::fingerprint;
use crate::curation::rows::{open, row_at};
use crate::curation::{CurationError, Located, Pictures, Row, Rows};
use crate::prompt::Task;
use crate::vigc::export::{LlavaRecord, write_list};

/// For each picture, where its questions about what is seen begin in the file of kept rows.
type Questions = HashMap<u64, Vec<u64>>;

/// Writes `llava.json`, as `LazySupervisedDataset` reads it (`llava/train/train.py`): a list of `{id, image,
/// conversations}`, people and model in turns, `<image>` in the first turn. `image` is a path below the folder of
/// pictures.
///
/// Joined, all questions about what is seen in one picture are one conversation, where the first of them stands. This
/// remembers some 50 bytes for each picture and 8 for each question.
pub(super) fn write(kept: &mut Kept<'_>, joined: bool) -> Result<Written, CurationError> {
    let path = kept.folder.join("llava.json");
    let (kept_path, pictures) = (kept.path, kept.pictures);
    let questions = if joined { questions(kept_path)? } else { Questions::new() };
    let mut file = open(kept_path)?;
    let records = kept.rows().filter_map(|located| {
        let record = located
            .and_then(|located| record(&located, pictures, &questions, &mut file, kept_path));
        record.transpose()
    });
    let elements = records.map(|record| record.map(|record| serde_json::to_string(&record)));
    write_list(&path, ["[\n", ",\n", "\n]\n"], elements)?;
    kept.written(ExportFormat::Llava, &[path], 0)
}

fn questions(path: &Path) -> Result<Questions> {
    let mut questions = Questions::new();
    for located in Rows::new([path]) {
        let Located { row, place, .. } = located?;
        if row.task() == Task::Conversation {
            questions.entry(fingerprint(&row.image())).or_default().push(place.offset);
        }
    }
    Ok(questions)
}

/// The conversation that begins with a row; nothing if another row began it.
fn record(
    located: &Located,
    pictures: &Pictures,
    questions: &Questions,
    file: &mut File,
    path: &Path,
) -> Result<Option<LlavaRecord>> {
    let mut record = named(&located.row, pictures);
    if located.row.task() != Task::Conversation {
        return Ok(Some(record));
    }
    let Some(offsets) = questions.get(&fingerprint(&located.row.image())) else {
        return Ok(Some(record));
    };
    if offsets.first() != Some(&located.place.offset) {
        return Ok(None);
    }
    for &offset in &offsets[1..] {
        let next = row_at(file, path, offset)?;
        let mut turns = next.llava().conversations;
        if let Some(first) = turns.first_mut() {
            next.question().clone_into(&mut first.value);
        }
        record.conversations.append(&mut turns);
    }
    Ok(Some(record))
}

fn named(row: &Row, pictures: &Pictures) -> LlavaRecord {
    LlavaRecord { image: pictures.name(row), ..row.llava() }
}
