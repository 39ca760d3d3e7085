//! Converts between the weights of a checkpoint and the parameters of packed layers.
//!
//! A packed layer has the parameter `layer.packed.half`, or `layer.packed.codes` and `layer.packed.scales`. On the CPU it has
//! `layer.packed.strips` and `layer.packed.size`. If a checkpoint has `layer.weight` instead, they are computed from it while they
//! are read, so memory never holds more than the packed weights and one tensor of the checkpoint. Files never hold panels: a
//! saved layer has the parameters of other devices.

mod blocks;
mod names;
#[cfg(feature = "flex")]
mod panels;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Int, Shape, Tensor};
use burn_store::burn_pack::{Error as PackError, Tensor as StoredTensor};

#[cfg(feature = "flex")]
use names::PANELS;
use names::{CODES, HALF, SIZE, layer_of, size_of};
pub(super) use names::{is_secondary, source_of};

/// Replaces weights by the packed parameters that a module's layers need instead.
pub(super) fn pack<M: Module>(module: &M, tensors: &mut BTreeMap<String, StoredTensor>) {
    let mut packed = PackedPaths::default();
    module.visit(&mut packed);
    for (path, shape) in packed.found {
        #[cfg(feature = "flex")]
        if let Some(layer) = layer_of(&path, PANELS) {
            if let Some(&size) = packed.sizes.get(layer) {
                panels::pack(layer, size, &shape, tensors);
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
        let (codes, scales) = blocks::quantize(weight, layer, width);
        tensors.insert(codes.name.clone(), codes);
        tensors.insert(scales.name.clone(), scales);
    }
}

/// Replaces panels by the parameters of other devices, to be saved.
pub(super) fn unpack(tensors: Vec<StoredTensor>) -> Result<Vec<StoredTensor>, PackError> {
    #[cfg(feature = "flex")]
    return panels::unpack(tensors);
    #[cfg(not(feature = "flex"))]
    Ok(tensors)
}

/// The paths and shapes of packed parameters.
#[derive(Default)]
struct PackedPaths {
    path: Vec<String>,
    found: Vec<(String, Shape)>,
    /// Outputs and inputs of the layers whose weights are panels.
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
