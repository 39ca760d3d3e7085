//! Exports that are one JSON list: LLaVA's conversations and the upstream program's rows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use vigc_core::json_lines::LineReader;

use super::files::KeptRows;
use crate::Result;
use crate::curation::rows::{LinePosition, LocatedRow, Pictures, Row, Rows, fingerprint, read_at};
use crate::prompt::Task;
use crate::vigc::export::{LlavaRecord, write_list};

/// Writes `llava.json`, as `LazySupervisedDataset` reads it (`llava/train/train.py`): a list of `{id, image,
/// conversations}` where `human` and `gpt` take turns and the first turn begins with `<image>`. `image` is a path
/// below the folder of pictures.
///
/// If `joined` is set, all questions of the task `conversation` about one picture become one conversation, at the
/// position of the first one. This takes about 50 bytes of memory for each picture and 16 for each question.
pub(super) fn write_llava(kept: &mut KeptRows<'_>, joined: bool) -> Result<Vec<PathBuf>> {
    let path = kept.folder.join("llava.json");
    let mut conversations = Conversations::open(kept.path, kept.pictures, joined)?;
    let records = kept.rows().filter_map(|located| {
        located.and_then(|located| conversations.beginning_with(&located)).transpose()
    });
    let elements = records.map(|record| Ok(serde_json::to_string(&record?)));
    write_list(&path, ["[\n", ",\n", "\n]\n"], elements)?;
    Ok(vec![path])
}

/// The conversations about pictures.
struct Conversations<'a> {
    pictures: &'a Pictures,
    /// For each picture, the lines of its questions. Empty if conversations are not joined.
    questions: HashMap<u64, Vec<LinePosition>>,
    /// Reads later questions of a conversation.
    reader: LineReader,
}

impl<'a> Conversations<'a> {
    fn open(kept: &Path, pictures: &'a Pictures, joined: bool) -> vigc_core::Result<Self> {
        let mut questions = HashMap::<_, Vec<_>>::new();
        for located in joined.then(|| Rows::new([kept])).into_iter().flatten() {
            let located = located?;
            if located.row.task() == Task::Conversation {
                let picture = fingerprint(&located.row.image());
                questions.entry(picture).or_default().push(located.position());
            }
        }
        Ok(Self { pictures, questions, reader: LineReader::open(kept)? })
    }

    /// The conversation that begins with a row, or nothing if the row belongs to one that began earlier.
    fn beginning_with(&mut self, located: &LocatedRow) -> vigc_core::Result<Option<LlavaRecord>> {
        let row = &located.row;
        let mut record = LlavaRecord { image: self.pictures.name(row), ..row.to_llava() };
        if row.task() != Task::Conversation {
            return Ok(Some(record));
        }
        let Some(positions) = self.questions.get(&fingerprint(&row.image())) else {
            return Ok(Some(record));
        };
        if positions.first() != Some(&located.position()) {
            return Ok(None);
        }
        for &position in &positions[1..] {
            let next = read_at(&mut self.reader, position)?;
            let mut turns = next.to_llava().conversations;
            if let Some(first) = turns.first_mut() {
                // Only the first turn of a conversation has the mark of the image.
                next.question().clone_into(&mut first.value);
            }
            record.conversations.append(&mut turns);
        }
        Ok(Some(record))
    }
}

/// Writes `reference.json`, and `question_answer.json` for short answers, byte for byte as the upstream program writes
/// such rows. A file without rows is not written.
pub(super) fn write_upstream(kept: &mut KeptRows<'_>) -> Result<Vec<PathBuf>> {
    let instruction_count = kept.count - kept.knowledge_count;
    let mut paths = Vec::new();
    for (name, count, is_knowledge) in [
        ("reference.json", instruction_count, false),
        ("question_answer.json", kept.knowledge_count, true),
    ] {
        if count == 0 {
            continue;
        }
        let path = kept.folder.join(name);
        let is_other = |row: &Row| matches!(row, Row::Knowledge(_)) != is_knowledge;
        let rows = kept.rows().filter_map(|located| match located {
            Ok(located) if is_other(&located.row) => None,
            Ok(located) => Some(Ok(located.row.to_upstream_json())),
            Err(error) => Some(Err(error.into())),
        });
        write_list(&path, ["[", ", ", "]"], rows)?;
        paths.push(path);
    }
    Ok(paths)
}
