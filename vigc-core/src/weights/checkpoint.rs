//! Named tensors from one or many files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{
    FloatCastAdapter, ModuleAdapter, ModuleSnapshot, ModuleStore, PyTorchToBurnAdapter,
    PytorchStore, SafetensorsStore, bridge,
};

use super::{KeyMap, LoadReport, Strictness};
use crate::config::read_json;
use crate::{Error, Result};

/// The tensors of a checkpoint by name, read only when a module takes them.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, StoredTensor>,
}

/// `model.safetensors.index.json`: which shard holds which tensor.
#[derive(serde::Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Opens a Hugging Face folder, a `.safetensors` file or a PyTorch file (`.pth`, `.pt`, `.bin`).
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
        Ok(Self { path: path.to_owned(), tensors })
    }

    /// Opens a safetensors file held in memory; errors call it `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Safetensors`] if the bytes cannot be read.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let path = PathBuf::from(name);
        let tensors = safetensors_names(SafetensorsStore::from_bytes(Some(bytes)), &path)?;
        Ok(Self { path, tensors })
    }

    /// Keeps the tensors below `prefix` and drops it from their names.
    #[must_use]
    pub fn scope(&self, prefix: &str) -> Self {
        let below = |name: &String| name.strip_prefix(prefix)?.strip_prefix('.').map(str::to_owned);
        let tensors = self.tensors.iter().filter_map(|(name, t)| Some((below(name)?, t.clone())));
        Self { path: self.path.clone(), tensors: tensors.collect() }
    }

    /// The tensors' names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
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

    /// Loads `module`, whose parameters are the tensors' names after `keys`, in f32.
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
        let rename = keys.compile();
        let named = self.tensors.iter().map(|(name, tensor)| {
            let mut tensor = tensor.clone();
            tensor.name = rename(name);
            tensor
        });
        let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
        let result = module.apply(named.collect(), None, Some(Box::new(adapter)), false);
        if let Some(error) = result.errors.first() {
            return Err(Error::Apply { path: self.path.clone(), reason: error.to_string() });
        }
        let missing: Vec<_> = result.missing.into_iter().map(|(path, _)| path).collect();
        if strictness == Strictness::Strict && !missing.is_empty() {
            return Err(Error::MissingTensors { path: self.path.clone(), missing });
        }
        Ok(LoadReport { applied: result.applied, missing, unused: result.unused })
    }
}

/// The weight files of a Hugging Face folder.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let index = folder.join("model.safetensors.index.json");
    if index.is_file() {
        let shards: ShardIndex = read_json(&index)?;
        let names: BTreeSet<_> = shards.weight_map.into_values().collect();
        return names.into_iter().map(|name| shard_path(folder, &index, name)).collect();
    }
    let file = folder.join("model.safetensors");
    if !file.is_file() {
        return Err(Error::NoWeights { path: folder.to_owned() });
    }
    Ok(vec![file])
}

fn shard_path(folder: &Path, index: &Path, name: String) -> Result<PathBuf> {
    if Path::new(&name).file_name() != Some(name.as_ref()) {
        return Err(Error::ShardName { path: index.to_owned(), shard: name });
    }
    Ok(folder.join(name))
}

/// Lists one file's tensors without reading their data.
fn read_names(path: &Path) -> Result<BTreeMap<String, StoredTensor>> {
    // The stores open lazily and would name neither the file nor the cause.
    std::fs::File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        return safetensors_names(SafetensorsStore::from_file(path), path);
    }
    // Left on, index mapping would move a shard's layers 24.. to 0...
    let mut store = PytorchStore::from_file(path).map_indices_contiguous(false);
    let tensors = store.get_all_tensors();
    tensors
        .cloned()
        .map_err(|source| Error::PyTorch { path: path.to_owned(), source: Box::new(source) })
}

fn safetensors_names(
    mut store: SafetensorsStore,
    path: &Path,
) -> Result<BTreeMap<String, StoredTensor>> {
    let tensors = store.get_all_tensors();
    tensors
        .cloned()
        .map_err(|source| Error::Safetensors { path: path.to_owned(), source: Box::new(source) })
}
