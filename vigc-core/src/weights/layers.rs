//! Checkpoints on top of one another.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::DType;
use burn_store::{
    ApplyError, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter,
};

use super::{Checkpoint, LoadReport, Strictness};
use crate::{Error, Result};

/// Checkpoints on top of one another: where two hold a tensor of the same name, the later one counts.
///
/// Published models come so: a frozen language model, an image encoder, what was pretrained, and what a
/// finetuning changed of it. Nothing that is overwritten is read.
#[derive(Debug, Clone, Default)]
pub struct Layers(Vec<Checkpoint>);

impl Layers {
    /// Puts a checkpoint on top, whose tensors have the names of the parameters that take them.
    #[must_use]
    pub fn with(mut self, checkpoint: Checkpoint) -> Self {
        self.0.push(checkpoint);
        self
    }

    /// Gives a module's parameters their values, in f32, and reports what came of each layer.
    ///
    /// # Errors
    ///
    /// [`Error::Apply`] if a tensor cannot be read or does not fit its parameter,
    /// [`Error::MissingTensors`] if `strictness` is [`Strictness::Strict`] and a parameter has none.
    pub fn apply<M: Module>(
        &self,
        module: &mut M,
        strictness: Strictness,
    ) -> Result<Vec<LoadReport>> {
        let mut reports: Vec<_> =
            self.0.iter().map(|layer| LoadReport::new(layer.path())).collect();
        let mut owners = BTreeMap::new();
        for (index, layer) in self.0.iter().enumerate() {
            for name in layer.tensors.keys() {
                if let Some(below) = owners.insert(name.as_str(), index) {
                    let report: &mut LoadReport = &mut reports[below];
                    report.overwritten.push(name.clone());
                }
            }
        }
        let tensors = owners.iter().filter_map(|(name, &index)| {
            let mut tensor = self.0[index].tensors.get(*name)?.clone();
            (*name).clone_into(&mut tensor.name);
            Some(tensor)
        });
        let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
        let result = module.apply(tensors.collect(), None, Some(Box::new(adapter)), false);
        if let Some(error) = result.errors.first() {
            let owner = owners.get(pytorch_name(path_of(error)).as_str());
            let path = owner.map_or_else(|| self.top(), |&index| self.0[index].path.clone());
            return Err(Error::Apply { path, reason: error.to_string() });
        }
        let missing: Vec<_> = result.missing.into_iter().map(|(path, _)| path).collect();
        if strictness == Strictness::Strict && !missing.is_empty() {
            return Err(Error::MissingTensors { path: self.top(), missing });
        }
        for path in result.applied {
            if let Some(&index) = owners.get(pytorch_name(&path).as_str()) {
                reports[index].applied.push(path);
            }
        }
        for name in result.unused {
            if let Some(&index) = owners.get(name.as_str()) {
                reports[index].unused.push(name);
            }
        }
        if let Some(top) = reports.last_mut() {
            top.missing = missing;
        }
        Ok(reports)
    }

    fn top(&self) -> PathBuf {
        self.0.last().map(|layer| layer.path.clone()).unwrap_or_default()
    }
}

fn path_of(error: &ApplyError) -> &str {
    match error {
        ApplyError::ShapeMismatch { path, .. }
        | ApplyError::DTypeMismatch { path, .. }
        | ApplyError::AdapterError { path, .. }
        | ApplyError::LoadError { path, .. } => path,
    }
}

/// The name that PyTorch gives to a parameter: norms have a weight and a bias there.
fn pytorch_name(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((norm, "gamma")) => format!("{norm}.weight"),
        Some((norm, "beta")) => format!("{norm}.bias"),
        _ => path.to_owned(),
    }
}
