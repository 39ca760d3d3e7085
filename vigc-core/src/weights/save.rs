//! Saving modules and tensors as safetensors files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use burn::module::Module;
use burn::tensor::{DType, TensorData};
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{ModuleSnapshot, bridge};
use safetensors::{Dtype, View};

use super::adapter::ToPyTorch;
use super::checkpoint::Checkpoint;
use super::key_map::KeyMap;
use super::packing::unpack;
use crate::files::partial_path;
use crate::{Error, Result};

/// Saves every parameter of `module` under its path, renamed by `keys`. The file is written completely or not at all.
///
/// The file follows PyTorch's conventions, so transformers opens it: weights of linear layers are `[out, in]`, norms have `weight`
/// and `bias`, and the header says `format: pt`. Parameters are cast to `dtype`, except packed weights, which keep their
/// precision. Parameters are read one after the other while the file is written.
///
/// # Errors
///
/// [`Error::Save`] if a parameter cannot be read or the file cannot be written.
pub fn save<M: Module>(
    module: &M,
    keys: &KeyMap,
    dtype: DType,
    path: impl AsRef<Path>,
) -> Result<()> {
    let rename = keys.compile();
    let tensors = module.collect(None, Some(Box::new(ToPyTorch(dtype))), true);
    let path = path.as_ref();
    let tensors = unpack(tensors)
        .map_err(|error| Error::Save { path: path.to_owned(), reason: error.to_string() })?;
    write(tensors.into_iter().map(|tensor| (rename(&tensor.name), tensor)), path)
}

/// Saves named tensors. The file is written completely or not at all.
///
/// # Errors
///
/// [`Error::Save`] if a tensor has a type that safetensors files do not have, or the file cannot be written.
pub fn save_tensors(tensors: Vec<(String, TensorData)>, path: impl AsRef<Path>) -> Result<()> {
    let stored = |(name, data): (String, _)| (name.clone(), bridge::from_data(data, name, None));
    write(tensors.into_iter().map(stored), path.as_ref())
}

/// Saves the tensors of a checkpoint in their types, one after the other. The file is written completely or not at all.
///
/// # Errors
///
/// [`Error::Save`] if a tensor cannot be read or has a type that safetensors files do not have, or the file cannot be written.
pub fn save_checkpoint(checkpoint: &Checkpoint, path: impl AsRef<Path>) -> Result<()> {
    let tensors = checkpoint.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.clone()));
    write(tensors, path.as_ref())
}

fn write(tensors: impl Iterator<Item = (String, StoredTensor)>, path: &Path) -> Result<()> {
    let fail = |reason: String| Error::Save { path: path.to_owned(), reason };
    let failure = Mutex::new(None);
    let mut views = Vec::new();
    for (name, tensor) in tensors {
        let dtype = dtype_of(tensor.dtype)
            .ok_or_else(|| fail(format!("{name} has the type {:?}", tensor.dtype)))?;
        views.push((name, Stored { dtype, tensor, failure: &failure }));
    }
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let temporary = partial_path(path);
    let unwritten = |source| Error::Write { path: path.to_owned(), source };
    let file = fs::File::create(&temporary).and_then(|file| file.metadata()).map_err(unwritten)?;
    safetensors::serialize_to_file(views, Some(format), &temporary)
        .map_err(|source| fail(source.to_string()))?;
    if let Some(reason) = failure.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        fs::remove_file(&temporary).map_err(unwritten)?;
        return Err(fail(reason));
    }
    // The safetensors crate leaves a file that only its owner can read.
    fs::set_permissions(&temporary, file.permissions()).map_err(unwritten)?;
    fs::rename(&temporary, path).map_err(unwritten)
}

/// A tensor as the safetensors crate reads it.
struct Stored<'a> {
    dtype: Dtype,
    tensor: StoredTensor,
    /// The first error of a tensor that could not be read; a view cannot return errors.
    failure: &'a Mutex<Option<String>>,
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.tensor.shape.as_slice()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self.tensor.to_bytes() {
            Ok(bytes) => Cow::Owned(bytes.to_vec()),
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(|held| held.into_inner());
                failure.get_or_insert_with(|| format!("{}: {error}", self.tensor.name));
                Cow::Owned(vec![0; self.data_len()])
            }
        }
    }

    fn data_len(&self) -> usize {
        self.tensor.byte_len()
    }
}

fn dtype_of(dtype: DType) -> Option<Dtype> {
    Some(match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I8 => Dtype::I8,
        DType::U8 => Dtype::U8,
        _ => return None,
    })
}
