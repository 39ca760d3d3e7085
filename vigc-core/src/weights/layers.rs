//! Checkpoints on top of one another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::module::Module;
use burn_store::{ApplyError, ModuleSnapshot};

use super::adapter::FromPyTorch;
use super::packing::{is_secondary, pack, source_of};
use super::progress::Counter;
use super::{Checkpoint, LoadProgress, LoadReport, Strictness};
use crate::{Error, Result};

/// Checkpoints on top of one another: where two hold a tensor of the same name, the later one counts.
///
/// Published models come so: a frozen language model, an image encoder, what was pretrained, and what a
/// finetuning changed of it. Nothing that is overwritten is read.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    checkpoints: Vec<Checkpoint>,
    progress: Option<LoadProgress>,
}

impl Layers {
    /// Puts a checkpoint on top, whose tensors have the names of the parameters that take them.
    #[must_use]
    pub fn with(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoints.push(checkpoint);
        self
    }

    /// Tells someone how far [`Layers::apply`] has come.
    #[must_use]
    pub fn with_progress(mut self, progress: LoadProgress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// How many tensors the checkpoints hold, all together. A model of more layers than that lacks some of its
    /// weights.
    #[must_use]
    pub fn tensor_count(&self) -> usize {
        self.checkpoints.iter().map(|layer| layer.tensors.len()).sum()
    }

    /// Gives a module's parameters their values and reports what came of each layer. They become f32, but for
    /// the weights of layers that store them in less; see [`Precision`](crate::nn::Precision).
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
        let mut reports: Vec<_> = self.checkpoints.iter().map(LoadReport::of).collect();
        let mut owners = BTreeMap::new();
        for (index, layer) in self.checkpoints.iter().enumerate() {
            for name in layer.tensors.keys() {
                if let Some(below) = owners.insert(name.as_str(), index) {
                    let report: &mut LoadReport = &mut reports[below];
                    report.overwritten.push(name.clone());
                }
            }
        }
        let tensors = owners.iter().filter_map(|(name, &index)| {
            let mut tensor = self.checkpoints[index].tensors.get(*name)?.clone();
            (*name).clone_into(&mut tensor.name);
            Some(((*name).to_owned(), tensor))
        });
        let mut tensors = tensors.collect();
        pack(module, &mut tensors);
        let total = tensors.values().map(|tensor| tensor.byte_len() as u64).sum();
        let counter = self.progress.clone().map(|progress| Arc::new(Counter::new(progress, total)));
        let adapter = Box::new(FromPyTorch(counter.clone()));
        let result = module.apply(tensors.into_values().collect(), None, Some(adapter), false);
        if let Some(error) = result.errors.first() {
            let owner = owner_of(&owners, path_of(error));
            let path =
                owner.map_or_else(|| self.top(), |index| self.checkpoints[index].path.clone());
            return Err(Error::Apply { path, reason: error.to_string() });
        }
        let missing = result.missing.into_iter().map(|(path, _)| path);
        let missing: Vec<_> = missing.filter(|path| !is_secondary(path)).collect();
        if strictness == Strictness::Strict && !missing.is_empty() {
            return Err(Error::MissingTensors { path: self.top(), missing });
        }
        if let Some(counter) = counter {
            counter.finish();
        }
        for path in result.applied {
            if let Some(index) = owner_of(&owners, &path) {
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
        self.checkpoints.last().map(|layer| layer.path.clone()).unwrap_or_default()
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

/// The layer that a parameter's value comes from.
fn owner_of(owners: &BTreeMap<&str, usize>, path: &str) -> Option<usize> {
    let packed = || owners.get(source_of(path)?.as_str());
    owners.get(pytorch_name(path).as_str()).or_else(packed).copied()
}

/// The name that PyTorch gives to a parameter: norms have a weight and a bias there.
fn pytorch_name(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((norm, "gamma")) => format!("{norm}.weight"),
        Some((norm, "beta")) => format!("{norm}.bias"),
        _ => path.to_owned(),
    }
}
