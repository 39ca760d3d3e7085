//! JSON Lines files: one JSON value per line, written so that a killed program loses at most its last row.
//!
//! ```
//! use vigc_core::json_lines::{JsonLines, read_lines};
//!
//! # fn main() -> vigc_core::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("rows.jsonl");
//! let mut rows = JsonLines::create(&path)?;
//! rows.write(&("cat.jpg", 3))?;
//! rows.write(&("dog.jpg", 5))?;
//!
//! let read: Vec<(String, u32)> = read_lines(&path)?.collect::<vigc_core::Result<_>>()?;
//! assert_eq!(read[1], ("dog.jpg".to_owned(), 5));
//! # Ok(())
//! # }
//! ```
//!
//! [`JsonLines`] writes and locks a file, [`read_lines`] reads its rows, and [`LineReader`] reads the lines
//! themselves for callers that need their text, number or offset.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A file that rows are appended to.
///
/// The file is locked as long as the value lives, so two processes cannot write to it. Every row reaches the
/// file with one write, complete with its newline, unless the file is [`buffered`](Self::buffered).
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
    offset: u64,
    is_buffered: bool,
}

impl JsonLines {
    /// Creates a file, or empties an existing one.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] if another process is writing to the file, [`Error::Write`] if it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let lines = Self::lock(path.as_ref())?;
        lines.file.get_ref().set_len(0).map_err(|source| lines.write_error(source))?;
        Ok(lines)
    }

    /// Opens a file to append to it, or creates it. A last line without a newline, which a killed program left
    /// behind, is removed.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn append_to(path: impl AsRef<Path>) -> Result<Self> {
        let mut lines = Self::lock(path.as_ref())?;
        lines.remove_torn_line().map_err(|source| lines.write_error(source))?;
        Ok(lines)
    }

    /// Checks that nobody is writing to a file, before it is renamed or deleted.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] if another process is writing to the file, [`Error::Write`] if it exists and cannot be
    /// opened.
    pub fn check_unused(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => lock(&file, path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Error::Write { path: path.to_owned(), source }),
        }
    }

    /// Collects rows in memory and writes them in large pieces, which is faster for files that are worthless
    /// until they are complete. Call [`sync`](Self::sync) after the last row.
    #[must_use]
    pub fn buffered(self) -> Self {
        Self { is_buffered: true, ..self }
    }

    fn lock(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|source| Error::Write { path: path.to_owned(), source })?;
        lock(&file, path)?;
        let file = BufWriter::new(file);
        Ok(Self { path: path.to_owned(), file, offset: 0, is_buffered: false })
    }

    fn remove_torn_line(&mut self) -> std::io::Result<()> {
        let file = self.file.get_mut();
        let mut reader = BufReader::new(&*file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.ends_with(b"\n") {
                self.offset += line.len() as u64;
            }
            line.clear();
        }
        file.set_len(self.offset)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(())
    }

    /// Appends a row.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the row cannot be serialized or the file cannot be written.
    pub fn write<T: Serialize>(&mut self, row: &T) -> Result<()> {
        let line = serde_json::to_vec(row).map_err(|source| self.write_error(source.into()))?;
        self.write_line(line)
    }

    /// Appends a row that is JSON text already, in one or several parts.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be written.
    ///
    /// # Panics
    ///
    /// Panics if the text contains a line break.
    pub fn write_raw(&mut self, parts: &[&[u8]]) -> Result<()> {
        let line = parts.concat();
        assert!(!line.contains(&b'\n'), "a row of a JSON Lines file is one line");
        self.write_line(line)
    }

    fn write_line(&mut self, mut line: Vec<u8>) -> Result<()> {
        line.push(b'\n');
        let written = self.file.write_all(&line);
        let written =
            written.and_then(|()| if self.is_buffered { Ok(()) } else { self.file.flush() });
        written.map_err(|source| self.write_error(source))?;
        self.offset += line.len() as u64;
        Ok(())
    }

    /// Flushes all rows to the disk. The file stays locked.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be written.
    pub fn sync(&mut self) -> Result<()> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| self.write_error(source))
    }

    /// The offset at which the next row will begin, in bytes from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write_error(&self, source: std::io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }
}

/// Locks a file until it is closed. Some file systems have no locks; there, nothing is checked.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) if source.kind() == ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(source)) => Err(Error::Write { path: path.to_owned(), source }),
    }
}

/// Reads the rows of a file, one at a time.
///
/// # Errors
///
/// [`Error::Read`] if the file cannot be opened. Each row is an [`Error::Line`] if its line does not hold a `T`.
pub fn read_lines<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<Lines<T>> {
    let reader = LineReader::open(path)?;
    Ok(Lines { reader, skips_blank: false, row: PhantomData })
}

/// The rows of a file; see [`read_lines`].
#[derive(Debug)]
pub struct Lines<T> {
    reader: LineReader,
    skips_blank: bool,
    row: PhantomData<T>,
}

impl<T> Lines<T> {
    /// Skips blank lines, which are an error otherwise. Files of other programs may have them; in a file that
    /// [`JsonLines`] wrote, a blank line is damage.
    #[must_use]
    pub fn skip_blank(self) -> Self {
        Self { skips_blank: true, ..self }
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            match self.reader.next()? {
                Ok(line) if self.skips_blank && line.is_blank() => {}
                line => return Some(line.and_then(|line| line.parse(&self.reader.path))),
            }
        }
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line's number, counted from 1.
    pub number: usize,
    /// The offset of its first byte from the start of the file.
    pub offset: u64,
    /// Its text without white space at the end.
    pub text: Vec<u8>,
}

impl Line {
    /// Whether there is nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }

    /// The row that the line holds; errors name `path` and the line.
    ///
    /// # Errors
    ///
    /// [`Error::Line`] if it is not a `T`.
    pub fn parse<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let row = serde_json::from_slice(&self.text);
        row.map_err(|source| Error::Line { path: path.to_owned(), line: self.number, source })
    }
}

/// Reads the lines of a file, one at a time, with their numbers and offsets.
#[derive(Debug)]
pub struct LineReader {
    path: PathBuf,
    reader: BufReader<File>,
    next: usize,
    offset: u64,
}

impl LineReader {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        match File::open(&path) {
            Ok(file) => Ok(Self { path, reader: BufReader::new(file), next: 1, offset: 0 }),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// Continues at a line that was read before.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the file cannot be read there.
    pub fn seek_to(&mut self, line: &Line) -> Result<()> {
        let sought = self.reader.seek(SeekFrom::Start(line.offset));
        sought.map_err(|source| Error::Read { path: self.path.clone(), source })?;
        (self.next, self.offset) = (line.number, line.offset);
        Ok(())
    }

    /// The number of bytes before the next line.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Iterator for LineReader {
    type Item = Result<Line>;

    fn next(&mut self) -> Option<Result<Line>> {
        let mut text = Vec::new();
        match self.reader.read_until(b'\n', &mut text) {
            Ok(0) => None,
            Ok(bytes) => {
                text.truncate(text.trim_ascii_end().len());
                let line = Line { number: self.next, offset: self.offset, text };
                self.next += 1;
                self.offset += bytes as u64;
                Some(Ok(line))
            }
            Err(source) => Some(Err(Error::Read { path: self.path.clone(), source })),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        (folder, path)
    }

    #[test]
    fn a_row_is_in_the_file_before_the_next_is_written() {
        let (_folder, path) = file();
        let mut rows = JsonLines::create(&path).unwrap();
        rows.write(&"a\nb").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "\"a\\nb\"\n");
        assert_eq!(rows.offset(), 7);
    }

    #[test]
    fn buffered_rows_are_in_the_file_after_a_sync() {
        let (_folder, path) = file();
        let mut rows = JsonLines::create(&path).unwrap().buffered();
        rows.write(&1).unwrap();
        rows.write_raw(&[b"{\"a\":", b"2}"]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        rows.sync().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"a\":2}\n");
        assert_eq!(rows.offset(), 10);
    }

    #[test]
    fn a_torn_line_is_replaced() {
        let (_folder, path) = file();
        fs::write(&path, "1\n2\n{\"a").unwrap();
        let mut rows = JsonLines::append_to(&path).unwrap();
        assert_eq!(rows.offset(), 4);
        rows.write(&3).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }

    #[test]
    fn a_file_has_one_writer() {
        let (_folder, path) = file();
        JsonLines::check_unused(&path).unwrap();
        assert!(!path.exists());
        let first = JsonLines::create(&path).unwrap();
        let second =
            [JsonLines::create(&path), JsonLines::append_to(&path)].map(Result::unwrap_err);
        for error in second.into_iter().chain(JsonLines::check_unused(&path).err()) {
            assert!(matches!(error, Error::InUse { .. }), "{error}");
        }
        drop(first);
        JsonLines::check_unused(&path).unwrap();
        JsonLines::append_to(&path).unwrap();
    }

    #[test]
    fn an_error_names_file_and_line() {
        let (_folder, path) = file();
        fs::write(&path, "1\n\nx\n").unwrap();
        let numbers = |error: Error| match error {
            Error::Line { line, .. } => (line, error.to_string()),
            other => panic!("{other}"),
        };
        let strict: Vec<_> = read_lines::<u32>(&path).unwrap().filter_map(Result::err).collect();
        let lines: Vec<_> = strict.into_iter().map(|error| numbers(error).0).collect();
        assert_eq!(lines, [2, 3]);
        let lenient = read_lines::<u32>(&path).unwrap().skip_blank();
        let (line, text) = numbers(lenient.filter_map(Result::err).next().unwrap());
        assert!(line == 3 && text.contains("rows.jsonl, line 3"), "{text}");
    }

    #[test]
    fn a_line_can_be_read_again() {
        let (_folder, path) = file();
        fs::write(&path, "10\r\n20  \n\n30").unwrap();
        let mut reader = LineReader::open(&path).unwrap();
        let lines: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        let places: Vec<_> = lines.iter().map(|line| (line.number, line.offset)).collect();
        assert_eq!(places, [(1, 0), (2, 4), (3, 9), (4, 10)]);
        assert_eq!(lines[1].text, b"20");
        assert!(lines[2].is_blank());
        assert_eq!(reader.offset(), 12);
        reader.seek_to(&lines[1]).unwrap();
        assert_eq!(reader.next().unwrap().unwrap(), lines[1]);
        assert_eq!(reader.nth(1).unwrap().unwrap().parse::<u32>(reader.path()).unwrap(), 30);
    }
}
