//! From the weights that a checkpoint holds to those that packed layers store.
//!
//! A layer that is packed asks for `layer.packed.half`, or for `layer.packed.codes` and
//! `layer.packed.scales`; on the CPU for `layer.packed.strips` and `layer.packed.size`. Where a checkpoint has
//! `layer.weight` instead, they are made of it when they are
//! read, so at no time are there more weights in memory than those that are kept and one of the original.
//! Files never hold strips: when a layer is saved, they become what other devices store.

#[cfg(feature = "flex")]
mod strips;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bytes, DType, Element, Int, Shape, Tensor, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};
use half::f16;
use rayon::prelude::*;

use crate::nn::blocks::{encode_q4, encode_q8, scales_per_row};

const HALF: &str = "packed.half";
const CODES: &str = "packed.codes";
const SCALES: &str = "packed.scales";
const STRIPS: &str = "packed.strips";
/// What strips are padded from; it comes with them.
const SIZE: &str = "packed.size";

/// What the parameter of a packed layer is made of, in a checkpoint that holds no packed ones.
pub(super) fn source_of(path: &str) -> Option<String> {
    let names = [HALF, CODES, SCALES, STRIPS, SIZE];
    let layer = names.into_iter().find_map(|name| layer_of(path, name))?;
    Some(format!("{layer}weight"))
}

/// Whether a parameter comes with another one, and need not be missed.
pub(super) fn is_secondary(path: &str) -> bool {
    layer_of(path, SIZE).is_some()
}

/// What is saved of a module: strips as what other devices store.
pub(super) fn unpack(tensors: Vec<StoredTensor>) -> Result<Vec<StoredTensor>, PackError> {
    #[cfg(feature = "flex")]
    return strips::unpack(tensors);
    #[cfg(not(feature = "flex"))]
    Ok(tensors)
}

/// The path of the layer whose parameter of that name this is, with a point behind it unless it is the
/// whole module.
fn layer_of<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.strip_suffix(name).filter(|layer| layer.is_empty() || layer.ends_with('.'))
}

/// Puts what packed layers ask for in the place of the weights that it is made of.
pub(super) fn pack<M: Module>(module: &M, tensors: &mut BTreeMap<String, StoredTensor>) {
    let mut packed = PackedPaths::default();
    module.visit(&mut packed);
    for (path, shape) in packed.found {
        #[cfg(feature = "flex")]
        if let Some(layer) = layer_of(&path, STRIPS) {
            if let Some(&size) = packed.sizes.get(layer) {
                strips::pack(layer, size, &shape, tensors);
            }
            continue;
        }
        let width = shape[shape.num_dims() - 1];
        let Some(layer) = layer_of(&path, HALF).or_else(|| layer_of(&path, CODES)) else {
            continue;
        };
        if tensors.contains_key(&path) {
            continue;
        }
        let Some(mut weight) = tensors.remove(&format!("{layer}weight")) else { continue };
        if path.ends_with(HALF) || weight.shape.num_dims() != 2 {
            weight.name = path.clone();
            tensors.insert(path, weight);
            continue;
        }
        let (codes, scales) = blocks(weight, layer, width);
        tensors.insert(codes.name.clone(), codes);
        tensors.insert(scales.name.clone(), scales);
    }
}

/// Codes and scales, whichever is read first computed together with the other.
fn blocks(weight: StoredTensor, layer: &str, width: usize) -> (StoredTensor, StoredTensor) {
    let (rows, inputs) = (weight.shape[0], weight.shape[1]);
    let dtype = if width == inputs { DType::I8 } else { DType::U8 };
    let coder = Arc::new(Coder { weight, dtype, other: Mutex::new(None) });
    let part = |suffix: &str, dtype: DType, width: usize, which: usize| {
        let shape = Shape::from([rows, width]);
        let (coder, of) = (Arc::clone(&coder), shape.clone());
        let data = move || Ok(TensorData::from_bytes(coder.take(which)?, of.clone(), dtype));
        bridge::deferred(format!("{layer}{suffix}"), dtype, shape, None, data)
    };
    (part(CODES, dtype, width, 0), part(SCALES, DType::F16, scales_per_row(inputs), 1))
}

/// Weights to be coded.
struct Coder {
    weight: StoredTensor,
    dtype: DType,
    /// What was computed beside what was asked for.
    other: Mutex<Option<(usize, Bytes)>>,
}

impl Coder {
    /// The bytes of the codes (0) or of the scales (1).
    fn take(&self, which: usize) -> Result<Bytes, PackError> {
        let mut other = self.other.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, bytes)) = other.take_if(|(kept, _)| *kept == which) {
            return Ok(bytes);
        }
        let (codes, scales) = self.code()?;
        let (asked, kept) = if which == 0 { (codes, scales) } else { (scales, codes) };
        *other = Some((1 - which, kept));
        Ok(asked)
    }

    fn code(&self) -> Result<(Bytes, Bytes), PackError> {
        let data = bridge::to_data(&self.weight)?;
        Ok(match self.dtype {
            DType::I8 => coded(&data, encode_q8),
            _ => coded(&data, encode_q4),
        })
    }
}

/// Codes a row at a time, so that the weights are never in memory in f32.
fn coded<C: Element>(
    weights: &TensorData,
    encode: fn(&[f32], &mut Vec<C>, &mut Vec<f16>),
) -> (Bytes, Bytes) {
    let [rows, inputs] = weights.shape().dims();
    let row_bytes = weights.as_bytes().len() / rows.max(1);
    let code = |bytes: &[u8]| {
        let row = Bytes::from_bytes_vec(bytes.to_vec());
        let row = TensorData::from_bytes(row, [inputs], weights.dtype()).convert_dtype(DType::F32);
        let row: Vec<f32> = row.iter().collect();
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        encode(&row, &mut codes, &mut scales);
        (codes, scales)
    };
    let rows = weights.as_bytes().par_chunks(row_bytes.max(1)).map(code);
    let (codes, scales): (Vec<_>, Vec<_>) = rows.collect::<Vec<_>>().into_iter().unzip();
    (Bytes::from_elems(codes.concat()), Bytes::from_elems(scales.concat()))
}

/// Outputs and inputs.
fn size_of(size: &TensorData) -> [usize; 2] {
    let mut sizes = size.iter::<i64>().map(|size| size as usize);
    [sizes.next().unwrap_or_default(), sizes.next().unwrap_or_default()]
}

/// The paths of packed layers' weights, each with its shape.
#[derive(Default)]
struct PackedPaths {
    path: Vec<String>,
    found: Vec<(String, Shape)>,
    /// The outputs and inputs of layers whose weights are strips.
    sizes: BTreeMap<String, [usize; 2]>,
}

impl PackedPaths {
    fn visit(&mut self, shape: &Shape) {
        let path = self.path.join(".");
        if source_of(&path).is_some() {
            self.found.push((path, shape.clone()));
        }
    }
}

impl ModuleVisitor for PackedPaths {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.visit(&param.lazy_shape());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        let path = self.path.join(".");
        if let Some(layer) = layer_of(&path, SIZE) {
            self.sizes.insert(layer.to_owned(), size_of(&param.val().into_data()));
        }
        self.visit(&param.lazy_shape());
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}
