//! Downloads of single files, continued where they were cut off.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use ureq::http::StatusCode;

use super::checksum::{Checksum, Hasher};
use super::client::{Client, Metadata, wait_after};
use crate::error::HubError;
use crate::progress::Progress;

/// The download of one file.
#[derive(Debug)]
pub(super) struct Download<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) commit: &'a str,
    pub(super) name: &'a str,
    pub(super) metadata: &'a Metadata,
}

impl Download<'_> {
    /// Appends the missing bytes to the file `partial`, and renames it to `blob` when it is complete and has the right hash.
    pub(super) fn run(
        &self,
        partial: &Path,
        blob: &Path,
        progress: &Progress,
    ) -> Result<(), HubError> {
        let mut file = Partial::open(partial, self.metadata)?;
        progress.report(self.name, file.len(), self.metadata.size);
        let mut furthest = file.len();
        let mut attempts = self.client.retries().start();
        while file.len() < self.metadata.size {
            let Err(error) = self.transfer(&mut file, progress) else { continue };
            // Only bytes beyond the furthest point count as progress: a server may begin anew every time.
            if file.len() > furthest {
                furthest = file.len();
                attempts.reset();
            }
            if !wait_after(&error, &mut attempts) {
                if matches!(error, HubError::Size { .. }) {
                    file.delete()?;
                }
                return Err(error);
            }
        }
        file.finish(blob)
    }

    /// Requests the rest of the file once, and appends what arrives.
    fn transfer(&self, file: &mut Partial<'_>, progress: &Progress) -> Result<(), HubError> {
        let response = match self.client.open(self.commit, self.name, file.len()) {
            Err(HubError::Status { status, .. })
                if status == StatusCode::RANGE_NOT_SATISFIABLE && file.len() > 0 =>
            {
                file.restart()?;
                self.client.open(self.commit, self.name, 0)
            }
            answer => answer,
        }?;
        if response.status() != StatusCode::PARTIAL_CONTENT && file.len() > 0 {
            file.restart()?;
        }
        let mut body = response.into_body().into_reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match body.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(HubError::Connection)?,
            };
            if read == 0 {
                break;
            }
            file.append(&chunk[..read])?;
            progress.report(self.name, file.len(), self.metadata.size);
        }
        match (file.len(), self.metadata.size) {
            (found, expected) if found < expected => Err(HubError::Size { expected, found }),
            _ => Ok(()),
        }
    }
}

/// The number of bytes that are read or written at once.
const CHUNK: usize = 256 * 1024;

/// The file of an unfinished download, hashed while it is written.
#[derive(Debug)]
struct Partial<'a> {
    path: PathBuf,
    metadata: &'a Metadata,
    file: File,
    hasher: Hasher,
    len: u64,
}

impl<'a> Partial<'a> {
    /// Opens the file that an earlier run left, or a new one.
    fn open(path: &Path, metadata: &'a Metadata) -> Result<Self, HubError> {
        let open = || File::options().read(true).append(true).create(true).open(path);
        let file = open().map_err(HubError::cache(path))?;
        let hasher = metadata.checksum.hasher(metadata.size);
        let mut partial = Self { path: path.to_owned(), metadata, file, hasher, len: 0 };
        partial.hash_existing().map_err(HubError::cache(path))?;
        if partial.len > metadata.size {
            partial.restart()?;
        }
        Ok(partial)
    }

    fn hash_existing(&mut self) -> io::Result<()> {
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

    fn len(&self) -> u64 {
        self.len
    }

    /// Empties the file.
    fn restart(&mut self) -> Result<(), HubError> {
        let empty = self.file.set_len(0).and_then(|()| self.file.rewind());
        empty.map_err(HubError::cache(&self.path))?;
        self.hasher = self.metadata.checksum.hasher(self.metadata.size);
        self.len = 0;
        Ok(())
    }

    /// Appends bytes, up to the size of the file.
    fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        let found = self.len + bytes.len() as u64;
        if found > self.metadata.size {
            return Err(HubError::Size { expected: self.metadata.size, found });
        }
        self.file.write_all(bytes).map_err(HubError::cache(&self.path))?;
        self.hasher.update(bytes);
        self.len = found;
        Ok(())
    }

    /// Deletes the file.
    fn delete(self) -> Result<(), HubError> {
        drop(self.file);
        fs::remove_file(&self.path).map_err(HubError::cache(&self.path))
    }

    /// Gives the file its name, or deletes it if its hash is wrong.
    fn finish(mut self, name: &Path) -> Result<(), HubError> {
        let expected = self.metadata.checksum.clone();
        let found = std::mem::replace(&mut self.hasher, expected.hasher(0)).finish();
        if found != expected {
            self.delete()?;
            let text = |checksum: Checksum| checksum.as_str().to_owned();
            return Err(HubError::Hash { expected: text(expected), found: text(found) });
        }
        self.file.sync_all().map_err(HubError::cache(&self.path))?;
        fs::rename(&self.path, name).map_err(HubError::cache(name))
    }
}
