//! The rows of JSONL files, one at a time.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Row;
use crate::{Error, Result};

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The line's first byte.
    pub offset: u64,
}

/// A row with the line that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The row.
    pub row: Row,
    /// Its line as it stands in the file, without the line's end.
    pub text: Vec<u8>,
    /// Where it stands.
    pub place: Place,
}

/// The rows of JSONL files, file after file.
#[derive(Debug)]
pub struct Rows {
    paths: std::vec::IntoIter<PathBuf>,
    open: Option<OpenFile>,
    bytes: u64,
}

#[derive(Debug)]
struct OpenFile {
    reader: BufReader<File>,
    next: Place,
}

impl Rows {
    /// The rows of these files, in this order. A file is opened when it is reached.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into).collect::<Vec<_>>();
        Self { paths: paths.into_iter(), open: None, bytes: 0 }
    }

    /// How many bytes were read, of all files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Opens the next file, if there is one.
    fn advance(&mut self) -> Result<bool> {
        let Some(path) = self.paths.next() else { return Ok(false) };
        let reader = BufReader::new(open(&path)?);
        self.open = Some(OpenFile { reader, next: Place { path, line: 1, offset: 0 } });
        Ok(true)
    }

    fn read(&mut self) -> Result<Option<Located>> {
        loop {
            if self.open.is_none() && !self.advance()? {
                return Ok(None);
            }
            if let Some(file) = &mut self.open
                && let Some(text) = read_line(&mut file.reader, &file.next.path)?
            {
                let place = file.next.clone();
                file.next.line += 1;
                file.next.offset += text.len() as u64;
                self.bytes += text.len() as u64;
                return located(text, place).map(Some);
            }
            self.open = None;
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Located>;

    fn next(&mut self) -> Option<Result<Located>> {
        let row = self.read();
        if row.is_err() {
            // A file that is damaged once is not to be trusted further on.
            (self.open, self.paths) = (None, Vec::new().into_iter());
        }
        row.transpose()
    }
}

/// The row whose line begins at a byte.
pub(super) fn row_at(file: &mut File, path: &Path, offset: u64) -> Result<Row> {
    file.seek(SeekFrom::Start(offset)).map_err(|source| read_error(path, source))?;
    let text = read_line(&mut BufReader::new(file), path)?.unwrap_or_default();
    let place = Place { path: path.to_owned(), line: 0, offset };
    Ok(located(text, place)?.row)
}

/// The size of files together, in bytes.
pub(super) fn total_bytes(paths: &[PathBuf]) -> Result<u64> {
    let size = |path: &PathBuf| {
        fs::metadata(path).map(|file| file.len()).map_err(|source| read_error(path, source))
    };
    paths.iter().map(size).sum()
}

pub(super) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| read_error(path, source))
}

/// The next line with its end, if there is one.
fn read_line(reader: &mut BufReader<impl Read>, path: &Path) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line);
    read.map_err(|source| read_error(path, source)).map(|bytes| (bytes > 0).then_some(line))
}

fn located(mut text: Vec<u8>, place: Place) -> Result<Located> {
    let end = text.trim_ascii_end().len();
    text.truncate(end);
    match Row::from_json(&text) {
        Ok(row) => Ok(Located { row, text, place }),
        Err(source) => {
            Err(vigc_core::Error::Line { path: place.path, line: place.line, source }.into())
        }
    }
}

fn read_error(path: &Path, source: std::io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}
