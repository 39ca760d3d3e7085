//! The table that MMBench is published as: values parted by tabs, pictures in base64.

mod pictures;
mod row;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;

use self::pictures::Pictures;
use self::row::{Columns, Row};
use super::MmbenchError;

/// Read behind the end of a file. It is a row of its own, unless the file ends within a cell in
/// quotes, which it then ends.
const END: &[u8] = b"\n\"\0";

/// One row: a question with its options in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row's number in the benchmark, which answers name it by.
    pub index: u64,
    /// The index of the row with the same question in its first order.
    pub group: u64,
    /// The question.
    pub question: String,
    /// What has to be known to answer it.
    pub hint: Option<String>,
    /// The options with their letters, in the order of the letters.
    pub options: Vec<(char, String)>,
    /// The letter of the right option; none where it is kept secret.
    pub answer: Option<char>,
    /// The ability at the finest level, L-3, like `image_scene`.
    pub category: Option<String>,
    /// The ability at level L-2, like `coarse_perception`.
    pub l2_category: Option<String>,
    /// The part of the benchmark, `dev` or `test`.
    pub split: Option<String>,
    /// Where the question is from.
    pub source: Option<String>,
    /// A remark.
    pub comment: Option<String>,
    /// The picture as an encoded file; rows with the same picture share it.
    pub picture: Arc<[u8]>,
}

impl Entry {
    /// What answers name the row by.
    #[must_use]
    pub fn id(&self) -> String {
        self.index.to_string()
    }

    /// The text of an option.
    #[must_use]
    pub fn option(&self, letter: char) -> Option<&str> {
        self.options.iter().find(|(known, _)| *known == letter).map(|(_, text)| text.as_str())
    }
}

/// A table as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tsv {
    /// The file.
    pub path: PathBuf,
    /// Its rows, in the file's order.
    pub entries: Vec<Entry>,
    /// How many rows were left out because they have no picture.
    pub without_picture: usize,
}

impl Tsv {
    /// Reads a table row by row, cells and empty cells as pandas reads them. Columns other than
    /// the fields of [`Entry`] are ignored; `l2_category` may be written with a hyphen, and
    /// `g_index` names the group where it is not the index without its millions.
    ///
    /// # Errors
    ///
    /// [`MmbenchError`] naming file, line and column.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MmbenchError> {
        let path = path.as_ref();
        let read = |source: io::Error| MmbenchError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?.chain(END);
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(b'\t').flexible(true).buffer_capacity(1 << 16);
        let mut reader = builder.from_reader(file);
        let header = reader.byte_headers().map_err(|error| read(error.into()))?;
        let columns = Columns::new(path, header)?;
        let mut rows = Rows::default();
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| read(error.into()))? {
            let line = record.position().map_or(0, csv::Position::line);
            rows.add(Row { path, line, columns: &columns, record: &record })?;
        }
        rows.finish(path)
    }
}

/// The rows that were read so far.
#[derive(Default)]
struct Rows {
    entries: Vec<Entry>,
    known: HashSet<u64>,
    pictures: Pictures,
    without_picture: usize,
    last_line: u64,
    has_end: bool,
}

impl Rows {
    fn add(&mut self, row: Row<'_>) -> Result<(), MmbenchError> {
        self.has_end = row.is_end();
        if self.has_end || row.is_blank() {
            return Ok(());
        }
        self.last_line = row.line;
        row.check_len()?;
        let Some(picture) = row.cell("image")? else {
            self.without_picture += 1;
            return Ok(());
        };
        let mut entry = row.entry()?;
        if !self.known.insert(entry.index) {
            return Err(row.wrong("index", entry.id().as_bytes(), "one that no other row has"));
        }
        entry.picture = self.pictures.add(&row, self.entries.len(), entry.index, picture)?;
        self.entries.push(entry);
        Ok(())
    }

    fn finish(mut self, path: &Path) -> Result<Tsv, MmbenchError> {
        if !self.has_end {
            return Err(MmbenchError::CutOff { path: path.to_owned(), line: self.last_line });
        }
        self.pictures.resolve(path, &mut self.entries)?;
        let Self { entries, without_picture, .. } = self;
        Ok(Tsv { path: path.to_owned(), entries, without_picture })
    }
}
