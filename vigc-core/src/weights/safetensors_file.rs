//! Safetensors files, read a tensor at a time.
//!
//! burn-store checks the header and lists the tensors, but it maps the file into memory. The pages of a model that is read once
//! would then count as memory beside its weights, and a file that shrinks while it is read would kill the process. So the values
//! are read from the file here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Bytes, TensorData};
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use burn_store::{ModuleStore, SafetensorsStore, bridge};
use serde::Deserialize;

use crate::{Error, Result};

/// Lists the tensors of a file.
pub(super) fn open(path: &Path) -> Result<BTreeMap<String, StoredTensor>> {
    let mut tensors = list(SafetensorsStore::from_file(path), path)?;
    let unread = |source| Error::Read { path: path.to_owned(), source };
    let (header, first) = header(path).map_err(unread)?;
    let path: Arc<Path> = path.into();
    for (name, Described { data_offsets: [start, end] }) in header {
        if let Some(tensor) = tensors.get_mut(&name) {
            *tensor = read_later(tensor, Arc::clone(&path), first + start, end - start);
        }
    }
    Ok(tensors)
}

/// Lists the tensors of a file in memory. Errors call it `path`.
pub(super) fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<BTreeMap<String, StoredTensor>> {
    list(SafetensorsStore::from_bytes(Some(bytes)), path)
}

fn list(mut store: SafetensorsStore, path: &Path) -> Result<BTreeMap<String, StoredTensor>> {
    let tensors = store.get_all_tensors();
    let fail = |source| Error::Safetensors { path: path.to_owned(), source: Box::new(source) };
    tensors.cloned().map_err(fail)
}

/// The place of a tensor's values, relative to the end of the header.
#[derive(Deserialize)]
struct Described {
    data_offsets: [u64; 2],
}

/// The header of a file that has been checked, and its end.
fn header(path: &Path) -> std::io::Result<(BTreeMap<String, Described>, u64)> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text)?;
    let mut entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text)?;
    entries.remove("__metadata__");
    let described =
        entries.into_iter().map(|(name, entry)| Ok((name, serde_json::from_value(entry)?)));
    Ok((described.collect::<serde_json::Result<_>>()?, 8 + length))
}

fn read_later(tensor: &StoredTensor, path: Arc<Path>, start: u64, length: u64) -> StoredTensor {
    let (dtype, shape) = (tensor.dtype, tensor.shape.clone());
    let of = shape.clone();
    let data = move || {
        let fail =
            |error| PackError::ValidationError(format!("cannot read {}: {error}", path.display()));
        let bytes = read(&path, start, length).map_err(fail)?;
        let data = TensorData::try_from_bytes(Bytes::from_bytes_vec(bytes), of.clone(), dtype);
        data.map_err(|error| PackError::ValidationError(format!("{}: {error:?}", path.display())))
    };
    bridge::deferred(tensor.name.clone(), dtype, shape, None, data)
}

fn read(path: &Path, start: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
