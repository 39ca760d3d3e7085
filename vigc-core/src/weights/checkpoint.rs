//! Named tensors from one or many files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use burn_store::pytorch_reader::{PytorchError, PytorchReader};

use super::{KeyMap, Layers, LoadReport, Strictness, safetensors_file};
use crate::config::read_json;
use crate::{Error, Result};

/// The tensors of a checkpoint by name, read only when a module takes them.
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
    /// A folder's weights may be sharded, and in either format; safetensors come first. Of what a
    /// trainer saved, only the tensors below `model` are listed: an optimizer's state is never read.
    /// No pickle is executed.
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

    /// Opens a safetensors file held in memory; errors call it `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Safetensors`] if the bytes cannot be read.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let path = PathBuf::from(name);
        let tensors = safetensors_file::from_bytes(bytes, &path)?;
        Ok(Self { path, tensors, copies: Vec::new() })
    }

    /// A checkpoint of tensors that are in memory; errors call it `name`.
    #[must_use]
    pub fn from_tensors(name: &str, tensors: Vec<(String, TensorData)>) -> Self {
        let stored = |(name, data): (String, TensorData)| {
            (name.clone(), bridge::from_data(data, name, None))
        };
        let tensors = tensors.into_iter().map(stored).collect();
        Self { path: PathBuf::from(name), tensors, copies: Vec::new() }
    }

    /// Keeps the tensors below `prefix` and drops it from their names.
    #[must_use]
    pub fn scope(&self, prefix: &str) -> Self {
        let below = |name: &String| name.strip_prefix(prefix)?.strip_prefix('.').map(str::to_owned);
        let tensors = self.tensors.iter().filter_map(|(name, t)| Some((below(name)?, t.clone())));
        Self { path: self.path.clone(), tensors: tensors.collect(), copies: Vec::new() }
    }

    /// Drops the tensors whose names `keep` does not pick.
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

    /// What a tensor's numbers are stored as.
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

    /// Takes the tensors of another checkpoint in; of two with one name, those of the other stay.
    pub fn extend(&mut self, other: Self) {
        self.tensors.extend(other.tensors);
    }

    /// Puts a tensor in the place of those that it is made of. They are read when it is.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensors`] if there is none of one of the names.
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

    /// Reads one float tensor as f32, as it is stored.
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

    /// Loads `module`, whose parameters are the tensors' names after `keys`, as [`Layers::apply`] does.
    ///
    /// Weights of linear layers are transposed and norms renamed from PyTorch's convention to burn's.
    ///
    /// # Errors
    ///
    /// [`Error::Apply`] if a tensor cannot be read or does not fit its parameter,
    /// [`Error::MissingTensors`] if `strictness` is [`Strictness::Strict`] and a parameter has none.
    pub fn load<M: Module>(
        &self,
        module: &mut M,
        keys: &KeyMap,
        strictness: Strictness,
    ) -> Result<LoadReport> {
        let mut reports =
            Layers::default().with(self.clone().rename(keys)).apply(module, strictness)?;
        Ok(reports.remove(0))
    }
}

fn numbers(tensor: &StoredTensor) -> Result<Vec<f32>, PackError> {
    Ok(bridge::to_data(tensor)?.iter::<f32>().collect())
}

/// The names of a Hugging Face folder's weights, those of each format with its index before it.
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

/// The files that an index of shards names, all of them in its folder.
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

/// What trainers put the weights below, beside the state of their optimizer.
const WEIGHTS_OF_A_TRAINER: &str = "model";

fn pytorch_names(path: &Path) -> Result<BTreeMap<String, StoredTensor>, PytorchError> {
    let reader = match PytorchReader::with_top_level_key(path, WEIGHTS_OF_A_TRAINER) {
        Err(PytorchError::KeyNotFound(_)) => PytorchReader::new(path)?,
        opened => opened?,
    };
    let tensors = reader.into_tensors().into_values().map(bridge::from_pytorch);
    Ok(tensors.map(|tensor| (tensor.name.clone(), tensor)).collect())
}
