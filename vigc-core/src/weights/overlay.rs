//! Loading modules from one checkpoint, or from several on top of one another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::module::Module;
use burn_store::{ApplyError, ModuleSnapshot};

use super::adapter::{Counter, FromPyTorch};
use super::checkpoint::Checkpoint;
use super::key_map::KeyMap;
use super::packing::{is_secondary, pack, source_of};
use crate::progress::Progress;
use crate::{Error, Result};

/// What happens if a parameter is missing from a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// It is an error.
    Strict,
    /// The parameter keeps its value. Finetuned checkpoints have only the parameters that were trained.
    Partial,
}

/// What was loaded from a checkpoint.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoadReport {
    /// The file or folder.
    pub path: PathBuf,
    /// The parameters that got a value.
    pub applied: Vec<String>,
    /// Tensors that a later checkpoint has as well, after renaming.
    pub overwritten: Vec<String>,
    /// Tensors that the file has twice, under the names there; see [`Checkpoint::unify`].
    pub copies: Vec<String>,
    /// Parameters that no checkpoint has. Of several reports, the last one names them.
    pub missing: Vec<String>,
    /// Tensors that fit no parameter, after renaming.
    pub unused: Vec<String>,
}

/// Checkpoints on top of one another. If several have a tensor of the same name, the last one counts, and the others are not
/// read.
///
/// Published models come in such parts: a frozen language model, an image encoder, the pretrained connector, and what finetuning
/// changed of it.
#[derive(Debug, Clone, Default)]
pub struct CheckpointOverlay {
    checkpoints: Vec<Checkpoint>,
    progress: Progress,
}

impl CheckpointOverlay {
    /// Adds a checkpoint on top. Its tensors have the names of the parameters.
    #[must_use]
    pub fn with(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoints.push(checkpoint);
        self
    }

    /// Reports the bytes that [`apply`](Self::apply) has read, before each tensor.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// The number of tensors of all checkpoints together.
    #[must_use]
    pub fn tensor_count(&self) -> usize {
        self.checkpoints.iter().map(|checkpoint| checkpoint.tensors.len()).sum()
    }

    /// Loads the parameters of a module, and returns a report for each checkpoint. Parameters become f32, except the weights of
    /// linear layers with another [`Precision`](crate::quantization::Precision).
    ///
    /// Weights of linear layers are transposed, and parameters of norms renamed, from PyTorch's convention to burn's.
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
        let mut reports: Vec<_> = self.checkpoints.iter().map(LoadReport::new).collect();
        let mut owners = BTreeMap::new();
        for (index, checkpoint) in self.checkpoints.iter().enumerate() {
            for name in checkpoint.tensors.keys() {
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
        let counter = Arc::new(Counter::new(self.progress.clone(), total));
        let adapter = Box::new(FromPyTorch(Arc::clone(&counter)));
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
        counter.finish();
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
        self.checkpoints.last().map(|checkpoint| checkpoint.path.clone()).unwrap_or_default()
    }
}

impl LoadReport {
    fn new(checkpoint: &Checkpoint) -> Self {
        let (path, copies) = (checkpoint.path.clone(), checkpoint.copies.clone());
        Self { path, copies, ..Self::default() }
    }
}

impl Checkpoint {
    /// Loads the parameters of a module, whose names are those of the tensors after renaming by `keys`. See
    /// [`CheckpointOverlay::apply`].
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
        let overlay = CheckpointOverlay::default().with(self.clone().rename(keys));
        Ok(overlay.apply(module, strictness)?.remove(0))
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

/// The index of the checkpoint that a parameter's value comes from.
fn owner_of(owners: &BTreeMap<&str, usize>, path: &str) -> Option<usize> {
    let packed = || owners.get(source_of(path)?.as_str());
    owners.get(pytorch_name(path).as_str()).or_else(packed).copied()
}

/// PyTorch's name of a parameter: norms have a weight and a bias there.
fn pytorch_name(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((norm, "gamma")) => format!("{norm}.weight"),
        Some((norm, "beta")) => format!("{norm}.bias"),
        _ => path.to_owned(),
    }
}
