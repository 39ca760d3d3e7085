//! What can go wrong with MMBench's files.

use std::path::PathBuf;

/// Why a table could not be read, answers could not be scored, or a submission not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MmbenchError {
    /// A file could not be written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// A table could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The table.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A table lacks a column.
    #[error("{path} has no column {column}")]
    Column {
        /// The table.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// A row has more or fewer cells than the table has columns; the file may have been cut off.
    #[error("{path}, line {line}: {found} cells, expected {expected}")]
    Cells {
        /// The table.
        path: PathBuf,
        /// The line at which the row begins, counted from 1.
        line: u64,
        /// How many cells it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A table ends within a cell in quotes.
    #[error("{path}, line {line}: the file ends within a cell")]
    CutOff {
        /// The table.
        path: PathBuf,
        /// The line at which the last row begins, counted from 1.
        line: u64,
    },
    /// A cell holds something else than it should.
    #[error("{path}, line {line}: {column} is {found}, expected {expected}")]
    Cell {
        /// The table.
        path: PathBuf,
        /// The line at which the row begins, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A question is there in other orders of its options, but not in its first.
    #[error("{path}: row {index} is row {first} in another order, and there is no row {first}")]
    FirstOrder {
        /// The table.
        path: PathBuf,
        /// The row's index.
        index: u64,
        /// The index of the question's first row.
        first: u64,
    },
    /// An answer belongs to no row.
    #[error("there is an answer to {id:?}, and no such row")]
    UnknownId {
        /// The name that the answer has.
        id: String,
    },
    /// A submission lacks answers.
    #[error("{missing} of {total} rows have no answer, the first of them is {first}")]
    Unanswered {
        /// How many answers are missing.
        missing: usize,
        /// How many there should be.
        total: usize,
        /// The index of the first row without.
        first: u64,
    },
    /// A text does not fit a cell of a workbook.
    #[error("row {index}: {column} has {length} characters, a cell of a workbook holds 32767")]
    LongCell {
        /// The row's index.
        index: u64,
        /// The column.
        column: String,
        /// The text's length, as the workbook counts it: in units of UTF-16.
        length: usize,
    },
    /// A workbook could not be made.
    #[error("cannot make the workbook {path}")]
    Workbook {
        /// The workbook.
        path: PathBuf,
        /// The cause.
        source: Box<rust_xlsxwriter::XlsxError>,
    },
}
