//! The table that MMBench is published as: tab-separated values with images in base64.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use csv::ByteRecord;

use crate::error::{Error, Place, Result};

/// Appended to the file. It is a row of its own unless the file ends within a quoted cell, which it then closes.
const END: &[u8] = b"\n\"\0";

/// The index of a question's row with moved options is larger by a multiple of this.
pub(super) const OFFSET: u64 = 1_000_000;

/// An image cell of at most this many characters is the index of the row that has the image (VLMEvalKit,
/// `dataset/image_base.py`).
const REFERENCE_LEN: usize = 64;

/// The cells that pandas reads as empty (`pandas.read_csv`, `na_values`).
const EMPTY: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// The names of the option columns.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Indices are below this, so that those of rows with moved options do not overflow, and are exact in a workbook.
const MAX_INDEX: u64 = 1_000_000_000_000_000;

/// A row: a question with its options in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row's index in the benchmark, the id of its answer.
    pub index: u64,
    /// The index of the row that has the question's options in their first order.
    pub group: u64,
    /// The question.
    pub question: String,
    /// What one has to know to answer it.
    pub hint: Option<String>,
    /// The options with their letters, sorted by letter.
    pub options: Vec<(char, String)>,
    /// The letter of the right option; none if it is secret.
    pub answer: Option<char>,
    /// The ability at the finest level, L-3, such as `image_scene`.
    pub category: Option<String>,
    /// The ability at level L-2, such as `coarse_perception`.
    pub l2_category: Option<String>,
    /// The split, `dev` or `test`.
    pub split: Option<String>,
    /// The source of the question.
    pub source: Option<String>,
    /// A remark.
    pub comment: Option<String>,
    /// The contents of the image file. Rows with the same image share it.
    pub image: Arc<[u8]>,
}

impl Entry {
    /// The id of the row's answer.
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

/// A published table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tsv {
    /// The file.
    pub path: PathBuf,
    /// The rows, in the order of the file.
    pub entries: Vec<Entry>,
    /// The number of rows that were left out because they have no image.
    pub without_image: usize,
}

impl Tsv {
    /// Reads a table row by row. Cells, also empty ones, are read as by pandas. Columns that are not fields of [`Entry`] are
    /// ignored. `l2_category` can be written with a hyphen, and `g_index` is the group if that is not the index without its
    /// millions.
    ///
    /// # Errors
    ///
    /// [`Error::Value`], [`Error::Cells`] or [`Error::CutOff`] naming file and line, [`Error::Column`] if a column is
    /// missing, [`Error::Core`] if the file cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = |source: io::Error| vigc_core::Error::Read { path: path.to_owned(), source };
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

/// The rows that have been read.
#[derive(Default)]
struct Rows {
    entries: Vec<Entry>,
    known: HashSet<u64>,
    images: Images,
    without_image: usize,
    last_line: u64,
    has_end: bool,
}

impl Rows {
    fn add(&mut self, row: Row<'_>) -> Result<()> {
        self.has_end = row.is_end();
        if self.has_end || row.is_blank() {
            return Ok(());
        }
        self.last_line = row.line;
        row.check_len()?;
        let Some(image) = row.cell("image")? else {
            self.without_image += 1;
            return Ok(());
        };
        let mut entry = row.entry()?;
        if !self.known.insert(entry.index) {
            return Err(row.wrong("index", entry.id().as_bytes(), "one that no other row has"));
        }
        entry.image = self.images.add(&row, self.entries.len(), entry.index, image)?;
        self.entries.push(entry);
        Ok(())
    }

    fn finish(mut self, path: &Path) -> Result<Tsv> {
        if !self.has_end {
            return Err(Error::CutOff { path: path.to_owned(), line: self.last_line });
        }
        self.images.resolve(path, &mut self.entries)?;
        let Self { entries, without_image, .. } = self;
        Ok(Tsv { path: path.to_owned(), entries, without_image })
    }
}

/// The columns of a table.
struct Columns {
    names: Vec<String>,
    options: Vec<(char, &'static str, usize)>,
}

impl Columns {
    fn new(path: &Path, header: &ByteRecord) -> Result<Self> {
        let names: Vec<String> = header.iter().map(column_name).collect();
        let options = LETTERS.char_indices().filter_map(|(at, letter)| {
            let option = &LETTERS[at..=at];
            Some((letter, option, names.iter().position(|name| name == option)?))
        });
        let options = options.collect();
        for column in ["index", "question", "image", "A", "B"] {
            if !names.iter().any(|name| name == column) {
                return Err(Error::Column { path: path.to_owned(), column });
            }
        }
        Ok(Self { names, options })
    }
}

/// The name of a column. Options are capital letters; other names are compared in lower case.
fn column_name(cell: &[u8]) -> String {
    let name = String::from_utf8_lossy(cell);
    match cell {
        [b'A'..=b'Z'] => name.into_owned(),
        _ => name.to_lowercase().replace('-', "_"),
    }
}

/// A row, with its place for errors. Its cells are read as by pandas.
#[derive(Clone, Copy)]
struct Row<'a> {
    path: &'a Path,
    line: u64,
    columns: &'a Columns,
    record: &'a ByteRecord,
}

impl<'a> Row<'a> {
    fn wrong(&self, column: &'static str, found: &[u8], expected: &'static str) -> Error {
        let found: String = String::from_utf8_lossy(found).chars().take(60).collect();
        Error::Value {
            path: self.path.to_owned(),
            place: Place::Line(self.line as usize),
            key: column,
            found: format!("{found:?}"),
            expected,
        }
    }

    /// Whether the line has only spaces, so that it is not a row.
    fn is_blank(&self) -> bool {
        self.record.len() == 1 && self.record[0].iter().all(|&byte| byte == b' ')
    }

    fn is_end(&self) -> bool {
        self.record.len() == 1 && self.record[0] == *b"\0"
    }

    fn check_len(&self) -> Result<()> {
        let (found, expected) = (self.record.len(), self.columns.names.len());
        if found == expected {
            return Ok(());
        }
        let (path, line) = (self.path.to_owned(), self.line);
        Err(Error::Cells { path, line, found, expected })
    }

    fn text(&self, name: &'static str, at: usize) -> Result<Option<&'a str>> {
        let cell = &self.record[at];
        let text = std::str::from_utf8(cell).map_err(|_| self.wrong(name, cell, "UTF-8"))?;
        Ok((!EMPTY.contains(&text)).then_some(text))
    }

    fn cell(&self, name: &'static str) -> Result<Option<&'a str>> {
        let at = self.columns.names.iter().position(|column| column == name);
        at.map_or(Ok(None), |at| self.text(name, at))
    }

    fn owned(&self, name: &'static str) -> Result<Option<String>> {
        Ok(self.cell(name)?.map(str::to_owned))
    }

    fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.wrong(name, b"", "something"))
    }

    fn number(&self, name: &'static str) -> Result<Option<u64>> {
        let number = |cell: &str| {
            let number = cell.trim().parse().ok().filter(|number| *number < MAX_INDEX);
            number.ok_or_else(|| self.wrong(name, cell.as_bytes(), "a whole number below 10^15"))
        };
        self.cell(name)?.map(number).transpose()
    }

    fn options(&self) -> Result<Vec<(char, String)>> {
        let mut options = Vec::new();
        for &(letter, name, at) in &self.columns.options {
            options.extend(self.text(name, at)?.map(|text| (letter, text.to_owned())));
        }
        Ok(options)
    }

    fn answer(&self) -> Result<Option<char>> {
        let letter = |cell: &str| match *cell.as_bytes() {
            [letter @ b'A'..=b'Z'] => Ok(char::from(letter)),
            _ => Err(self.wrong("answer", cell.as_bytes(), "the letter of an option")),
        };
        self.cell("answer")?.map(letter).transpose()
    }

    /// The row without its image.
    fn entry(&self) -> Result<Entry> {
        let index = self.required("index", self.number("index")?)?;
        Ok(Entry {
            index,
            group: self.number("g_index")?.unwrap_or(index % OFFSET),
            question: self.required("question", self.owned("question")?)?,
            hint: self.owned("hint")?,
            options: self.options()?,
            answer: self.answer()?,
            category: self.owned("category")?,
            l2_category: self.owned("l2_category")?,
            split: self.owned("split")?,
            source: self.owned("source")?,
            comment: self.owned("comment")?,
            image: Arc::default(),
        })
    }
}

/// The images of a table, each once.
#[derive(Default)]
struct Images {
    distinct: HashSet<Arc<[u8]>>,
    by_index: HashMap<u64, Arc<[u8]>>,
    references: Vec<Reference>,
}

/// A row with the image of another row.
struct Reference {
    entry: usize,
    target: String,
    line: u64,
}

impl Images {
    /// The image of a row. It is empty for now if the cell is the index of another row.
    fn add(&mut self, row: &Row<'_>, entry: usize, index: u64, cell: &str) -> Result<Arc<[u8]>> {
        if cell.len() <= REFERENCE_LEN {
            self.references.push(Reference { entry, target: cell.to_owned(), line: row.line });
            return Ok(Arc::default());
        }
        let wrong = |_| row.wrong("image", cell.as_bytes(), "an image in base64");
        let bytes = BASE64_STANDARD.decode(cell).map_err(wrong)?;
        let image = match self.distinct.get(bytes.as_slice()) {
            Some(known) => Arc::clone(known),
            None => Arc::from(bytes),
        };
        self.distinct.insert(Arc::clone(&image));
        self.by_index.insert(index, Arc::clone(&image));
        Ok(image)
    }

    /// Fills in the images of other rows, in the order of the file: the other row must have an image of its own, or one
    /// that was filled in before.
    fn resolve(mut self, path: &Path, entries: &mut [Entry]) -> Result<()> {
        for Reference { entry, target, line } in std::mem::take(&mut self.references) {
            let target_index = target.trim().parse::<u64>().ok();
            let image = target_index.and_then(|index| self.by_index.get(&index)).cloned();
            let image = image.ok_or_else(|| Error::Value {
                path: path.to_owned(),
                place: Place::Line(line as usize),
                key: "image",
                found: format!("{target:?}"),
                expected: "an image in base64 or the index of a row that has one",
            })?;
            let entry = &mut entries[entry];
            self.by_index.insert(entry.index, Arc::clone(&image));
            entry.image = image;
        }
        Ok(())
    }
}
