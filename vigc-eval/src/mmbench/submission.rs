//! The file that the official server scores.

use std::collections::HashMap;
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};
use vigc_core::files::write_atomic;

use super::{Entry, MmbenchError};

/// Characters in a cell of a workbook, in units of UTF-16.
const CELL_LEN: usize = 32_767;

/// The answers to a published table with the columns that MMBench's README asks for: `index`,
/// `question`, the options, `prediction`, `category`, `l2_category`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    columns: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

impl Submission {
    /// Puts an answer beside each row of a published table; answers to other rows are left out.
    ///
    /// # Errors
    ///
    /// [`MmbenchError::Unanswered`] if a row has no answer, which the server would count as wrong.
    pub fn new(entries: &[Entry], answers: &HashMap<String, String>) -> Result<Self, MmbenchError> {
        let unanswered = |entry: &&Entry| !answers.contains_key(&entry.id());
        if let Some(first) = entries.iter().find(unanswered) {
            return Err(MmbenchError::Unanswered {
                missing: entries.iter().filter(unanswered).count(),
                total: entries.len(),
                first: first.index,
            });
        }
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

    /// Writes a workbook, whole or not at all. The same answers give the same bytes. Lines end
    /// alike in it, and control characters, which XML cannot hold, are spaces.
    ///
    /// # Errors
    ///
    /// [`MmbenchError::LongCell`] if a text does not fit a cell, [`MmbenchError::Workbook`] if the
    /// workbook cannot be made, [`MmbenchError::Core`] if the file cannot be written.
    pub fn write_xlsx(&self, path: impl AsRef<Path>) -> Result<(), MmbenchError> {
        let path = path.as_ref();
        self.check_lengths()?;
        let bytes = self.workbook().map_err(|source| MmbenchError::Workbook {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        Ok(write_atomic(path, &bytes)?)
    }

    fn check_lengths(&self) -> Result<(), MmbenchError> {
        for (index, cells) in &self.rows {
            for (cell, column) in cells.iter().zip(&self.columns[1..]) {
                let length = cell.encode_utf16().count();
                if length > CELL_LEN {
                    let (index, column) = (*index, column.clone());
                    return Err(MmbenchError::LongCell { index, column, length });
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

    /// Writes values parted by tabs, quoted where they have to be, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`MmbenchError::Core`] if the file cannot be written.
    pub fn write_tsv(&self, path: impl AsRef<Path>) -> Result<(), MmbenchError> {
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

/// A text as XML can hold it, without the escapes of Excel that other readers leave as they are.
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
