//! Configuration files: JSON with the path in every error, and files that are never half-written.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// The largest width, count or side that a configuration may name.
///
/// Published models stay far below, and products of up to three sizes are numbers.
pub const MAX_SIZE: usize = 1 << 20;

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

/// Writes a value as indented JSON, whole or not at all.
///
/// # Errors
///
/// [`Error::Json`] if `value` cannot be serialized, [`Error::Write`] if the file cannot be written.
pub fn write_json<T: Serialize>(path: impl AsRef<Path>, value: &T) -> Result<()> {
    let path = path.as_ref();
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|source| Error::Json { path: path.to_owned(), source })?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Writes `bytes` to a temporary neighbour of `path` and renames it, so that a reader sees the old
/// file or the new one but no part of either.
///
/// # Errors
///
/// [`Error::Write`] if the file cannot be written.
pub fn write_whole(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let write = || {
        let temporary = temporary_name(path);
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// The name beside `path` that unfinished contents are written to.
#[must_use]
pub fn temporary_name(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
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
}
