//! Files of one JSON value per line that survive being killed at any moment.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A file that rows are appended to, each with one write.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
}

impl JsonLines {
    /// Creates a file, or empties it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InUse`] if another process writes to the file, [`Error::Write`] if it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let lines = Self::open(path.as_ref())?;
        lines.file.set_len(0).map_err(|source| lines.write_error(source))?;
        Ok(lines)
    }

    /// Opens a file to append to it, or creates it. An unfinished last line is removed.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn append_to(path: impl AsRef<Path>) -> Result<Self> {
        let mut lines = Self::open(path.as_ref())?;
        lines.remove_torn_line().map_err(|source| lines.write_error(source))?;
        Ok(lines)
    }

    /// Opens a file, or creates it, and keeps others from writing to it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn open(path: &Path) -> Result<Self> {
        let fail = |source| Error::Write { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
            // Not every file system has locks.
            Err(TryLockError::Error(source))
                if source.kind() == std::io::ErrorKind::Unsupported =>
            {
                Ok(Self { path: path.to_owned(), file })
            }
            Err(TryLockError::Error(source)) => Err(fail(source)),
        }
    }

    fn remove_torn_line(&mut self) -> std::io::Result<()> {
        let mut length = 0;
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.ends_with(b"\n") {
                length += line.len() as u64;
            }
            line.clear();
        }
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    /// Appends a row.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Write`] if the file cannot be written.
    pub fn write<T: Serialize>(&mut self, row: &T) -> Result<()> {
        let line = serde_json::to_vec(row).map_err(|source| self.write_error(source.into()));
        let mut line = line?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|source| self.write_error(source))
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

/// Reads the rows of a file, one at a time.
///
/// # Errors
///
/// Returns [`Error::Read`] if the file cannot be opened. Each row is an [`Error::Line`] if its line
/// does not hold a `T`.
pub fn read_lines<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<Lines<T>> {
    let path = path.as_ref().to_owned();
    match File::open(&path) {
        Ok(file) => Ok(Lines { path, reader: BufReader::new(file), line: 0, row: PhantomData }),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// The rows of a file.
#[derive(Debug)]
pub struct Lines<T> {
    path: PathBuf,
    reader: BufReader<File>,
    line: usize,
    row: PhantomData<T>,
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let mut bytes = Vec::new();
        self.line += 1;
        match self.reader.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                let row = serde_json::from_slice(&bytes);
                Some(row.map_err(|source| Error::Line {
                    path: self.path.clone(),
                    line: self.line,
                    source,
                }))
            }
            Err(source) => Some(Err(Error::Read { path: self.path.clone(), source })),
        }
    }
}
