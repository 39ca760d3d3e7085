//! Checkpoints: named tensors of one or several files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use burn_store::pytorch_reader::{PytorchError, PytorchReader};

use super::key_map::KeyMap;
use super::safetensors_file;
use crate::files::read_json;
use crate::{Error, Result};

/// The tensors of a checkpoint by name. Their values are read only when they are needed.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) tensors: BTreeMap<String, StoredTensor>,
    pub(super) copies: Vec<String>,
}

/// `*.index.json`: which shard holds which tensor.
#[derive(serde::Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Opens a Hugging Face folder, a `.safetensors` file or a PyTorch file (`.pth`, `.pt`, `.bin`).
    ///
    /// The weights of a folder may be sharded, and safetensors are preferred to PyTorch files. Of a file that a trainer saved, only
    /// the tensors below `model` are listed, and the optimizer's state is never read. Pickles are parsed but not executed.
    ///
    /// # Errors
    ///
    /// [`Error::NoWeights`] if a folder holds none, [`Error::Safetensors`] or [`Error::PyTorch`] if
    /// a file cannot be read, and those of [`read_json`] for an index of shards.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let files = if path.is_dir() { files_of(path)? } else { vec![path.to_owned()] };
        let mut tensors = BTreeMap::new();
        for file in files {
            tensors.extend(read_names(&file)?);
        }
        Ok(Self { path: path.to_owned(), tensors, copies: Vec::new() })
    }

    /// Opens a safetensors file in memory. Errors call it `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Safetensors`] if the bytes cannot be read.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let path = PathBuf::from(name);
        let tensors = safetensors_file::from_bytes(bytes, &path)?;
        Ok(Self { path, tensors, copies: Vec::new() })
    }

    /// A checkpoint of tensors in memory. Errors call it `name`.
    #[must_use]
    pub fn from_tensors(name: &str, tensors: Vec<(String, TensorData)>) -> Self {
        let stored = |(name, data): (String, TensorData)| {
            (name.clone(), bridge::from_data(data, name, None))
        };
        let tensors = tensors.into_iter().map(stored).collect();
        Self { path: PathBuf::from(name), tensors, copies: Vec::new() }
    }

    /// Keeps the tensors below `prefix`, and removes the prefix from their names.
    #[must_use]
    pub fn scope(&self, prefix: &str) -> Self {
        let below = |name: &String| name.strip_prefix(prefix)?.strip_prefix('.').map(str::to_owned);
        let tensors = self.tensors.iter().filter_map(|(name, t)| Some((below(name)?, t.clone())));
        Self { path: self.path.clone(), tensors: tensors.collect(), copies: Vec::new() }
    }

    /// Keeps the tensors whose names `keep` picks.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.tensors.retain(|name, _| keep(name));
    }

    /// The tensors' names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The file or folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The shape of a tensor as it is stored.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|tensor| tensor.shape.as_slice())
    }

    /// The type of a tensor as it is stored.
    #[must_use]
    pub fn dtype(&self, name: &str) -> Option<DType> {
        self.tensors.get(name).map(|tensor| tensor.dtype)
    }

    /// Renames every tensor.
    #[must_use]
    pub fn rename(self, keys: &KeyMap) -> Self {
        let rename = keys.compile();
        let renamed = self.tensors.into_iter().map(|(name, tensor)| (rename(&name), tensor));
        Self { tensors: renamed.collect(), ..self }
    }

    /// Adds the tensors of another checkpoint. They replace those of the same name.
    pub fn extend(&mut self, other: Self) {
        self.tensors.extend(other.tensors);
    }

    /// Replaces some tensors by one that is computed from them when it is read.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensors`] if one of them does not exist.
    pub fn derive(
        &mut self,
        name: &str,
        shape: &[usize],
        parts: &[&str],
        make: impl Fn(&[Vec<f32>]) -> Vec<f32> + Send + Sync + 'static,
    ) -> Result<()> {
        let missing: Vec<_> =
            parts.iter().filter(|part| !self.tensors.contains_key(**part)).collect();
        if !missing.is_empty() {
            let missing = missing.into_iter().map(|&part| part.to_owned()).collect();
            return Err(Error::MissingTensors { path: self.path.clone(), missing });
        }
        let parts: Vec<_> = parts.iter().filter_map(|part| self.tensors.remove(*part)).collect();
        let made = shape.to_vec();
        let data = move || {
            let parts = parts.iter().map(numbers).collect::<Result<Vec<_>, _>>()?;
            Ok(TensorData::new(make(&parts), made.clone()))
        };
        let tensor = bridge::deferred(name.to_owned(), DType::F32, Shape::from(shape), None, data);
        self.tensors.insert(name.to_owned(), tensor);
        Ok(())
    }

    /// Reads one floating-point tensor as f32, in the shape in which it is stored.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensors`] if there is no such tensor, [`Error::Apply`] if it cannot be read or
    /// has another rank.
    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>> {
        let found = self.tensors.get(name).ok_or_else(|| Error::MissingTensors {
            path: self.path.clone(),
            missing: vec![name.to_owned()],
        })?;
        let fail = |reason: String| Error::Apply { path: self.path.clone(), reason };
        let data = bridge::to_data(found).map_err(|source| fail(format!("{name}: {source}")))?;
        if data.shape().len() != D {
            return Err(fail(format!("{name}: expected rank {D}, found shape {:?}", data.shape())));
        }
        Ok(Tensor::from_data(data.convert_dtype(DType::F32), device))
    }

    /// Moves the tensors below `from` to the same names below `to`. PyTorch saves a module under both names if it was registered
    /// twice.
    ///
    /// A tensor in both places is a copy: the one below `from` is dropped, and [`Checkpoint::copies`] names it. Its shape and type are
    /// compared with the original, and its values if `compared` picks its name.
    ///
    /// # Errors
    ///
    /// [`Error::Copy`] if a copy differs from its original, [`Error::Apply`] if one cannot be read.
    pub fn unify(mut self, from: &str, to: &str, compared: impl Fn(&str) -> bool) -> Result<Self> {
        let below = |name: &&String| name.strip_prefix(from).is_some_and(|r| r.starts_with('.'));
        let names: Vec<_> = self.tensors.keys().filter(below).cloned().collect();
        for name in names {
            let original = format!("{to}{}", &name[from.len()..]);
            let Some(tensor) = self.tensors.remove(&name) else { continue };
            let Some(kept) = self.tensors.get(&original) else {
                self.tensors.insert(original, tensor);
                continue;
            };
            if let Some(difference) = self.difference(kept, &tensor, compared(&name))? {
                let path = self.path;
                return Err(Error::Copy { path, copy: name, original, difference });
            }
            self.copies.push(name);
        }
        Ok(self)
    }

    /// The copies that [`Checkpoint::unify`] dropped, under the names in the file.
    #[must_use]
    pub fn copies(&self) -> &[String] {
        &self.copies
    }

    fn difference(
        &self,
        kept: &StoredTensor,
        copy: &StoredTensor,
        values: bool,
    ) -> Result<Option<String>> {
        let (expected, found) = (kept.shape.as_slice(), copy.shape.as_slice());
        if expected != found {
            return Ok(Some(format!("has the shape {found:?}, expected {expected:?}")));
        }
        if kept.dtype != copy.dtype {
            return Ok(Some(format!("is {:?}, expected {:?}", copy.dtype, kept.dtype)));
        }
        if !values {
            return Ok(None);
        }
        let read = |tensor: &StoredTensor| {
            let fail = |source| Error::Apply {
                path: self.path.clone(),
                reason: format!("{}: {source}", tensor.name),
            };
            bridge::to_data(tensor).map_err(fail)
        };
        let same = read(kept)?.as_bytes() == read(copy)?.as_bytes();
        Ok((!same).then(|| "has other values".to_owned()))
    }
}

fn numbers(tensor: &StoredTensor) -> Result<Vec<f32>, PackError> {
    Ok(bridge::to_data(tensor)?.iter::<f32>().collect())
}

/// The names of weights in a Hugging Face folder. A sharded file has its name with `.index.json`.
const WEIGHTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// The weight files of a Hugging Face folder.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    for name in WEIGHTS {
        let index = folder.join(format!("{name}.index.json"));
        if index.is_file() {
            let names = shard_names(&index)?;
            if names.is_empty() {
                break;
            }
            return Ok(names.into_iter().map(|name| folder.join(name)).collect());
        }
        let file = folder.join(name);
        if file.is_file() {
            return Ok(vec![file]);
        }
    }
    Err(Error::NoWeights { path: folder.to_owned() })
}

/// The files that an index of shards names. All of them are in its folder.
pub(super) fn shard_names(index: &Path) -> Result<BTreeSet<String>> {
    let shards: ShardIndex = read_json(index)?;
    let names: BTreeSet<_> = shards.weight_map.into_values().collect();
    match names.iter().find(|name| Path::new(name).file_name() != Some(name.as_ref())) {
        Some(shard) => Err(Error::ShardName { path: index.to_owned(), shard: shard.clone() }),
        None => Ok(names),
    }
}

/// Lists one file's tensors without reading their data.
fn read_names(path: &Path) -> Result<BTreeMap<String, StoredTensor>> {
    // The stores open lazily and would name neither the file nor the cause.
    std::fs::File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        return safetensors_file::open(path);
    }
    pytorch_names(path)
        .map_err(|source| Error::PyTorch { path: path.to_owned(), source: Box::new(source) })
}

/// The key of the weights in a trainer's file; the optimizer's state has another one.
const WEIGHTS_OF_A_TRAINER: &str = "model";

fn pytorch_names(path: &Path) -> Result<BTreeMap<String, StoredTensor>, PytorchError> {
    let reader = match PytorchReader::with_top_level_key(path, WEIGHTS_OF_A_TRAINER) {
        Err(PytorchError::KeyNotFound(_)) => PytorchReader::new(path)?,
        opened => opened?,
    };
    let tensors = reader.into_tensors().into_values().map(bridge::from_pytorch);
    Ok(tensors.map(|tensor| (tensor.name.clone(), tensor)).collect())
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    fn unified(tensors: &[(&str, &[f32])]) -> Result<Checkpoint> {
        let stored = |(name, values): &(&str, &[f32])| {
            ((*name).to_owned(), TensorData::new(values.to_vec(), [values.len()]))
        };
        let tensors = tensors.iter().map(stored).collect();
        let checkpoint = Checkpoint::from_tensors("twice.safetensors", tensors);
        checkpoint.unify("b.inner", "a", |name| name.ends_with("small"))
    }

    #[test]
    fn a_module_under_two_names_is_one() {
        // Values that are not compared may differ: these are taken for large.
        let tensors: [(&str, &[f32]); 6] = [
            ("a.small", &[1.0]),
            ("b.inner.small", &[1.0]),
            ("a.large", &[1.0]),
            ("b.inner.large", &[2.0]),
            ("b.inner.only", &[3.0]),
            ("b.innermost", &[4.0]),
        ];
        let checkpoint = unified(&tensors).unwrap();
        assert!(checkpoint.keys().eq(["a.large", "a.only", "a.small", "b.innermost"]));
        assert_eq!(checkpoint.copies(), ["b.inner.large", "b.inner.small"]);
    }

    #[test]
    fn a_copy_that_differs_is_named() {
        let cases: [(&str, &str, &[f32], &str); 2] = [
            ("a.small", "b.inner.small", &[2.0], "has other values"),
            ("a.large", "b.inner.large", &[1.0, 2.0], "has the shape [2], expected [1]"),
        ];
        for (original, copy, values, expected) in cases {
            let error = unified(&[(original, &[1.0]), (copy, values)]).unwrap_err().to_string();
            let names = [original, copy, "twice.safetensors", expected];
            assert!(names.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
