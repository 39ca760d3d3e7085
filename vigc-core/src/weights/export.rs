//! Saving modules and tensors as safetensors.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, TensorData};
use burn_store::{BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, bridge};
use safetensors::{Dtype, View};

use super::KeyMap;
use crate::config::temporary_name;
use crate::{Error, Result};

/// Saves every parameter of `module` under its path renamed by `keys`, whole or not at all.
///
/// The file follows PyTorch: weights of linear layers are `[out, in]`, norms have `weight` and
/// `bias`, and the header says `format: pt`, so transformers opens it.
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
    let path = path.as_ref();
    let rename = keys.compile();
    let adapter = BurnToPyTorchAdapter.chain(FloatCastAdapter::to(dtype));
    let tensors = module.collect(None, Some(Box::new(adapter)), true);
    let read = |tensor: &_| {
        bridge::to_data(tensor)
            .map_err(|source| Error::Save { path: path.to_owned(), reason: source.to_string() })
    };
    let named = tensors.iter().map(|tensor| Ok((rename(&tensor.name), read(tensor)?)));
    save_tensors(named.collect::<Result<Vec<_>>>()?, path)
}

/// Saves named tensors, whole or not at all.
///
/// # Errors
///
/// [`Error::Save`] if a tensor's type has no place in safetensors or the file cannot be written.
pub fn save_tensors(tensors: Vec<(String, TensorData)>, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let fail = |reason: String| Error::Save { path: path.to_owned(), reason };
    let mut views = Vec::with_capacity(tensors.len());
    for (name, data) in tensors {
        let dtype = dtype_of(data.dtype())
            .ok_or_else(|| fail(format!("{name} has the type {:?}", data.dtype())))?;
        let shape = data.shape().to_vec();
        views.push((name, Stored { dtype, shape, data }));
    }
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let temporary = temporary_name(path);
    let unwritten = |source| Error::Write { path: path.to_owned(), source };
    let file = fs::File::create(&temporary).and_then(|file| file.metadata()).map_err(unwritten)?;
    safetensors::serialize_to_file(views, Some(format), &temporary)
        .map_err(|source| fail(source.to_string()))?;
    // safetensors leaves a file that only its owner can read.
    fs::set_permissions(&temporary, file.permissions()).map_err(unwritten)?;
    fs::rename(&temporary, path).map_err(unwritten)
}

/// A tensor as the safetensors crate wants to see it.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    data: TensorData,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.data.as_bytes())
    }

    fn data_len(&self) -> usize {
        self.data.as_bytes().len()
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
        DType::U8 => Dtype::U8,
        _ => return None,
    })
}
