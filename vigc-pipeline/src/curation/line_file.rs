//! Files of lines in an unfinished folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::CurationError;
use vigc_core::Error;

/// A file that lines are written to, locked while it is open.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    writer: BufWriter<File>,
    bytes: u64,
}

impl LineFile {
    /// Creates a file, or empties it.
    pub(super) fn create(path: PathBuf) -> Result<Self, CurationError> {
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(CurationError::write(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            // Not every file system has locks.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(CurationError::write(&path)(error)),
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path }.into()),
        }
        file.set_len(0).map_err(CurationError::write(&path))?;
        Ok(Self { path, writer: BufWriter::new(file), bytes: 0 })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next line will begin.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes a line of several parts.
    pub(super) fn write(&mut self, parts: &[&[u8]]) -> Result<(), CurationError> {
        for part in parts.iter().chain([&b"\n".as_slice()]) {
            self.writer.write_all(part).map_err(CurationError::write(&self.path))?;
            self.bytes += part.len() as u64;
        }
        Ok(())
    }

    /// Writes what is left to the disk. The file stays locked.
    pub(super) fn finish(&mut self) -> Result<(), CurationError> {
        let done = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        done.map_err(CurationError::write(&self.path))
    }
}
