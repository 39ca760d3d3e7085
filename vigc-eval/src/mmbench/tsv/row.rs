//! One row of a table, its cells read as pandas reads them.

use std::path::Path;
use std::sync::Arc;

use csv::ByteRecord;

use super::Entry;
use crate::mmbench::MmbenchError;
use crate::mmbench::circular::OFFSET;

/// What pandas reads as an empty cell (`pandas.read_csv`, `na_values`).
const EMPTY: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// The columns of options.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Indices stay below it, so that those of other orders are numbers, and exact in a workbook.
const MAX_INDEX: u64 = 1_000_000_000_000_000;

/// Where each column is.
pub(super) struct Columns {
    names: Vec<String>,
    options: Vec<(char, &'static str, usize)>,
}

impl Columns {
    pub(super) fn new(path: &Path, header: &ByteRecord) -> Result<Self, MmbenchError> {
        let names: Vec<String> = header.iter().map(column_name).collect();
        let options = LETTERS.char_indices().filter_map(|(at, letter)| {
            let option = &LETTERS[at..=at];
            Some((letter, option, names.iter().position(|name| name == option)?))
        });
        let options = options.collect();
        for column in ["index", "question", "image", "A", "B"] {
            if !names.iter().any(|name| name == column) {
                return Err(MmbenchError::Column { path: path.to_owned(), column });
            }
        }
        Ok(Self { names, options })
    }
}

/// Options are capital letters; the others are known by their small letters.
fn column_name(cell: &[u8]) -> String {
    let name = String::from_utf8_lossy(cell);
    match cell {
        [b'A'..=b'Z'] => name.into_owned(),
        _ => name.to_lowercase().replace('-', "_"),
    }
}

/// A row with what an error about it needs.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) path: &'a Path,
    pub(super) line: u64,
    pub(super) columns: &'a Columns,
    pub(super) record: &'a ByteRecord,
}

impl<'a> Row<'a> {
    pub(super) fn wrong(
        &self,
        column: &'static str,
        found: &[u8],
        expected: &'static str,
    ) -> MmbenchError {
        let found: String = String::from_utf8_lossy(found).chars().take(60).collect();
        let (path, line) = (self.path.to_owned(), self.line);
        MmbenchError::Cell { path, line, column, found: format!("{found:?}"), expected }
    }

    /// Lines of nothing but spaces are no rows.
    pub(super) fn is_blank(&self) -> bool {
        self.record.len() == 1 && self.record[0].iter().all(|&byte| byte == b' ')
    }

    pub(super) fn is_end(&self) -> bool {
        self.record.len() == 1 && self.record[0] == *b"\0"
    }

    pub(super) fn check_len(&self) -> Result<(), MmbenchError> {
        let (found, expected) = (self.record.len(), self.columns.names.len());
        if found == expected {
            return Ok(());
        }
        let (path, line) = (self.path.to_owned(), self.line);
        Err(MmbenchError::Cells { path, line, found, expected })
    }

    fn text(&self, name: &'static str, at: usize) -> Result<Option<&'a str>, MmbenchError> {
        let cell = &self.record[at];
        let text = std::str::from_utf8(cell).map_err(|_| self.wrong(name, cell, "UTF-8"))?;
        Ok((!EMPTY.contains(&text)).then_some(text))
    }

    pub(super) fn cell(&self, name: &'static str) -> Result<Option<&'a str>, MmbenchError> {
        let at = self.columns.names.iter().position(|column| column == name);
        at.map_or(Ok(None), |at| self.text(name, at))
    }

    fn owned(&self, name: &'static str) -> Result<Option<String>, MmbenchError> {
        Ok(self.cell(name)?.map(str::to_owned))
    }

    fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T, MmbenchError> {
        value.ok_or_else(|| self.wrong(name, b"", "something"))
    }

    fn number(&self, name: &'static str) -> Result<Option<u64>, MmbenchError> {
        let number = |cell: &str| {
            let number = cell.trim().parse().ok().filter(|number| *number < MAX_INDEX);
            number.ok_or_else(|| self.wrong(name, cell.as_bytes(), "a whole number below 10^15"))
        };
        self.cell(name)?.map(number).transpose()
    }

    fn options(&self) -> Result<Vec<(char, String)>, MmbenchError> {
        let mut options = Vec::new();
        for &(letter, name, at) in &self.columns.options {
            options.extend(self.text(name, at)?.map(|text| (letter, text.to_owned())));
        }
        Ok(options)
    }

    fn answer(&self) -> Result<Option<char>, MmbenchError> {
        let letter = |cell: &str| match *cell.as_bytes() {
            [letter @ b'A'..=b'Z'] => Ok(char::from(letter)),
            _ => Err(self.wrong("answer", cell.as_bytes(), "the letter of an option")),
        };
        self.cell("answer")?.map(letter).transpose()
    }

    /// The row without its picture.
    pub(super) fn entry(&self) -> Result<Entry, MmbenchError> {
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
            picture: Arc::default(),
        })
    }
}
