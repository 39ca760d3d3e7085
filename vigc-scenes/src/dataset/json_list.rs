//! JSON that is written item by item.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{DatasetError, failed};

/// A file with one JSON array, an item a line.
#[derive(Debug)]
pub(super) struct JsonList {
    lines: JsonLines,
    empty: bool,
}

impl JsonList {
    pub(super) fn create(path: &Path) -> Result<Self, DatasetError> {
        let mut lines = JsonLines::create(path)?;
        lines.write(b"[")?;
        Ok(Self { lines, empty: true })
    }

    pub(super) fn push(&mut self, item: &impl Serialize) -> Result<(), DatasetError> {
        let separator: &[u8] = if self.empty { b"\n" } else { b",\n" };
        self.empty = false;
        self.lines.write(separator)?;
        self.lines.write_json(item)
    }

    pub(super) fn finish(mut self) -> Result<(), DatasetError> {
        self.lines.write(b"\n]\n")?;
        self.lines.finish()
    }
}

/// A file with one JSON value a line.
#[derive(Debug)]
pub(super) struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl JsonLines {
    pub(super) fn create(path: &Path) -> Result<Self, DatasetError> {
        let file = File::create(path).map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    pub(super) fn push(&mut self, item: &impl Serialize) -> Result<(), DatasetError> {
        self.write_json(item)?;
        self.write(b"\n")
    }

    pub(super) fn finish(mut self) -> Result<(), DatasetError> {
        self.file.flush().map_err(failed(&self.path))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DatasetError> {
        self.file.write_all(bytes).map_err(failed(&self.path))
    }

    fn write_json(&mut self, item: &impl Serialize) -> Result<(), DatasetError> {
        let written = serde_json::to_writer(&mut self.file, item);
        written.map_err(|error| failed(&self.path)(error.into()))
    }
}
