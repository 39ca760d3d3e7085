//! The file that MMBench's server scores.

use std::collections::HashMap;
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};
use vigc_core::files::write_atomic;

use super::table::Entry;
use crate::error::{Error, Result};
use crate::suite::check_complete;

/// The most UTF-16 code units in a cell of a workbook.
const CELL_LEN: usize = 32_767;

/// The answers to a published table, with the columns that MMBench's README asks for: `index`, `question`, the options,
/// `prediction`, `category` and `l2_category`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    columns: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

impl Submission {
    /// Adds an answer to each row of a published table. Answers to other rows are left out.
    ///
    /// # Errors
    ///
    /// [`Error::MissingAnswers`] if a row has no answer. The server would count it as wrong.
    pub fn new(entries: &[Entry], answers: &HashMap<String, String>) -> Result<Self> {
        let ids: Vec<String> = entries.iter().map(Entry::id).collect();
        let ids = ids.iter().map(String::as_str);
        check_complete(ids, answers, "a submission needs all answers")?;
        let used = entries.iter().flat_map(|entry| &entry.options).map(|(letter, _)| *letter);
        let letters: Vec<char> = ('A'..=used.max().unwrap_or('D').max('D')).collect();
        let mut columns = vec!["index".to_owned(), "question".to_owned()];
        columns.extend(letters.iter().map(char::to_string));
        columns.extend(["prediction", "category", "l2_category"].map(str::to_owned));
        let cells = |entry: &Entry| {
            let mut cells = vec![entry.question.clone()];
            let option = |letter: &char| entry.option(*letter).unwrap_or_default().to_owned();
            cells.extend(letters.iter().map(option));
            cells.push(answers[&entry.id()].clone());
            cells.extend(
                [&entry.category, &entry.l2_category].map(|c| c.clone().unwrap_or_default()),
            );
            (entry.index, cells)
        };
        Ok(Self { columns, rows: entries.iter().map(cells).collect() })
    }

    /// Writes a workbook, completely or not at all. The same answers give the same bytes. All line breaks become line
    /// feeds, and control characters, which XML cannot represent, become spaces.
    ///
    /// # Errors
    ///
    /// [`Error::LongCell`] if a text is too long for a cell, [`Error::Workbook`] if the workbook cannot be created,
    /// [`Error::Core`] if the file cannot be written.
    pub fn write_xlsx(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.check_lengths()?;
        let bytes = self.workbook().map_err(|source| Error::Workbook {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        Ok(write_atomic(path, &bytes)?)
    }

    fn check_lengths(&self) -> Result<()> {
        for (index, cells) in &self.rows {
            for (cell, column) in cells.iter().zip(&self.columns[1..]) {
                let length = cell.encode_utf16().count();
                if length > CELL_LEN {
                    let (index, column) = (*index, column.clone());
                    return Err(Error::LongCell { index, column, length });
                }
            }
        }
        Ok(())
    }

    fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let sheet = workbook.add_worksheet();
        for (column, name) in (0..).zip(&self.columns) {
            sheet.write_string(0, column, name)?;
        }
        for (row, (index, cells)) in (1..).zip(&self.rows) {
            sheet.write_number(row, 0, *index as f64)?;
            for (column, cell) in (1..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
                sheet.write_string(row, column, printable(cell))?;
            }
        }
        workbook.save_to_buffer()
    }

    /// Writes tab-separated values, quoted where necessary. The file is written completely or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the file cannot be written.
    pub fn write_tsv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed = |error: csv::Error| vigc_core::Error::Write {
            path: path.to_owned(),
            source: error.into(),
        };
        let mut bytes = Vec::new();
        let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_writer(&mut bytes);
        writer.write_record(&self.columns).map_err(failed)?;
        for (index, cells) in &self.rows {
            let index = index.to_string();
            let row = std::iter::once(index.as_str()).chain(cells.iter().map(String::as_str));
            writer.write_record(row).map_err(failed)?;
        }
        writer.flush().map_err(|error| failed(error.into()))?;
        drop(writer);
        Ok(write_atomic(path, &bytes)?)
    }
}

/// A text that XML can represent, without Excel's escapes, which other readers do not decode.
fn printable(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.replace(|c: char| c < ' ' && c != '\t' && c != '\n', " ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_hold_what_xml_can_hold() {
        assert_eq!(super::printable("A\r\nB\rC\nD\tE\u{1}\u{b}F é"), "A\nB\nC\nD\tE  F é");
    }
}
