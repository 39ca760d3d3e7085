//! A file on its way, hashed as it comes.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::Problem;
use super::checksum::{Checksum, Hasher};
use super::client::Metadata;

/// Bytes read or written at once.
pub(super) const CHUNK: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Partial<'a> {
    path: PathBuf,
    metadata: &'a Metadata,
    file: File,
    hasher: Hasher,
    len: u64,
}

impl<'a> Partial<'a> {
    /// Opens what an earlier run left, or a new file.
    pub(super) fn open(path: &Path, metadata: &'a Metadata) -> Result<Self, Problem> {
        let open = || File::options().read(true).append(true).create(true).open(path);
        let file = open().map_err(Problem::cache(path))?;
        let hasher = metadata.checksum.hasher(metadata.size);
        let mut partial = Self { path: path.to_owned(), metadata, file, hasher, len: 0 };
        partial.hash_what_is_there().map_err(Problem::cache(path))?;
        if partial.len > metadata.size {
            partial.restart()?;
        }
        Ok(partial)
    }

    fn hash_what_is_there(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = self.file.read(&mut chunk)?;
            if read == 0 {
                return Ok(());
            }
            self.hasher.update(&chunk[..read]);
            self.len += read as u64;
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Forgets what is there.
    pub(super) fn restart(&mut self) -> Result<(), Problem> {
        let empty = self.file.set_len(0).and_then(|()| self.file.rewind());
        empty.map_err(Problem::cache(&self.path))?;
        self.hasher = self.metadata.checksum.hasher(self.metadata.size);
        self.len = 0;
        Ok(())
    }

    /// Takes more of the file; not more than there is to come.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let found = self.len + bytes.len() as u64;
        if found > self.metadata.size {
            return Err(Problem::Size { expected: self.metadata.size, found });
        }
        self.file.write_all(bytes).map_err(Problem::cache(&self.path))?;
        self.hasher.update(bytes);
        self.len = found;
        Ok(())
    }

    /// Deletes the file.
    pub(super) fn delete(self) -> Result<(), Problem> {
        drop(self.file);
        fs::remove_file(&self.path).map_err(Problem::cache(&self.path))
    }

    /// Gives the file its name, or deletes it if its bytes are others than those expected.
    pub(super) fn finish(mut self, name: &Path) -> Result<(), Problem> {
        let expected = self.metadata.checksum.clone();
        let found = std::mem::replace(&mut self.hasher, expected.hasher(0)).finish();
        if found != expected {
            self.delete()?;
            let text = |checksum: Checksum| checksum.as_str().to_owned();
            return Err(Problem::Hash { expected: text(expected), found: text(found) });
        }
        self.file.sync_all().map_err(Problem::cache(&self.path))?;
        fs::rename(&self.path, name).map_err(Problem::cache(name))
    }
}
