//! Reading and writing whole files: JSON with the path in every error, and writes that never leave half a file.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads a JSON file.
///
/// # Errors
///
/// [`Error::Read`] if the file cannot be opened, [`Error::Json`] if it does not hold a `T`.
pub fn read_json<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<T> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|source| Error::Json { path: path.to_owned(), source })
}

/// Writes a value as indented JSON. The file is written completely or not at all.
///
/// # Errors
///
/// [`Error::Json`] if `value` cannot be serialized, [`Error::Write`] if the file cannot be written.
pub fn write_json<T: Serialize>(path: impl AsRef<Path>, value: &T) -> Result<()> {
    let path = path.as_ref();
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|source| Error::Json { path: path.to_owned(), source })?;
    text.push(b'\n');
    write_atomic(path, &text)
}

/// Writes a file completely or not at all; see [`AtomicFile`].
///
/// # Errors
///
/// [`Error::Write`] if the file cannot be written.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write(bytes)?;
    file.commit()
}

/// The temporary neighbor of `path` that holds its contents while they are being written: `name.partial`.
#[must_use]
pub fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

/// A file that appears under its name only when it is complete.
///
/// The contents go to [`partial_path`], and [`commit`](Self::commit) renames that file, so a reader sees the
/// old contents or the new ones and never a mixture. Without a commit the old file stays, and so does the
/// partial one; the next write replaces it.
///
/// ```
/// use vigc_core::files::AtomicFile;
///
/// # fn main() -> vigc_core::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("list.json");
/// let mut file = AtomicFile::create(&path)?;
/// file.write(b"[1, ")?;
/// file.write(b"2]\n")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert!(path.exists());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl AtomicFile {
    /// Opens the partial file and empties it.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        match File::create(partial_path(&path)) {
            Ok(file) => Ok(Self { path, writer: BufWriter::new(file) }),
            Err(source) => Err(Error::Write { path, source }),
        }
    }

    /// Appends bytes to the contents.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.writer.write_all(bytes);
        written.map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Flushes the contents to disk and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be written or renamed.
    pub fn commit(self) -> Result<()> {
        let Self { path, writer } = self;
        let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error);
        let renamed = file
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(partial_path(&path), &path));
        renamed.map_err(|source| Error::Write { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, "{\n\"a\": x}").unwrap();
        let error = read_json::<serde_json::Value>(&path).unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(cause.contains("line 2"), "{cause}");
    }

    #[test]
    fn writing_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        write_json(&path, &[1, 2]).unwrap();
        assert_eq!(read_json::<Vec<u32>>(&path).unwrap(), [1, 2]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_a_commit_the_old_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.json");
        write_atomic(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write(b"new").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write_atomic(&path, b"newer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert!(!partial_path(&path).exists());
    }
}
