//! Checkpoints of a run: weights, optimizer state and position. A checkpoint is complete or does not exist.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::DType;
use burn_optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};
use vigc_core::files::{read_json, write_json};
use vigc_core::weights::{Checkpoint, KeyMap, Strictness, save};

use crate::error::{Result, TrainError};

const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.bpk";
const POSITION: &str = "position.json";

/// The number of checkpoints that are kept.
pub const KEPT: usize = 2;

/// The position of a run. Sampling and dropout depend only on it, so no other state is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The number of updates done.
    pub update: u64,
    /// The fingerprint of the run's settings.
    pub fingerprint: String,
}

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// The checkpoints in `folder`, which does not have to exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The complete checkpoints with their numbers of updates, oldest first.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the folder cannot be listed.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(TrainError::file(&self.folder))? {
            let path = entry.map_err(TrainError::file(&self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(update) = name.strip_prefix("update-").and_then(|n| n.parse().ok()) {
                found.push((update, path));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Writes a checkpoint to a temporary folder, renames it, and removes all but the newest [`KEPT`] checkpoints.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if a file cannot be written.
    pub fn write<M: Module>(
        &self,
        module: &M,
        optimizer: &ModuleOptimizer,
        position: &Position,
    ) -> Result<()> {
        let unfinished = self.folder.join("unfinished");
        remove(&unfinished)?;
        fs::create_dir_all(&unfinished).map_err(TrainError::file(&unfinished))?;
        save(module, &KeyMap::IDENTITY, DType::F32, unfinished.join(WEIGHTS))?;
        let state = unfinished.join(OPTIMIZER);
        optimizer
            .save(&state)
            .map_err(|source| TrainError::Optimizer { path: state.clone(), source })?;
        write_json(unfinished.join(POSITION), position)?;
        sync(&unfinished)?;
        let place = self.folder.join(format!("update-{:07}", position.update));
        remove(&place)?;
        fs::rename(&unfinished, &place).map_err(TrainError::file(&place))?;
        let all = self.list()?;
        all.iter().rev().skip(KEPT).try_for_each(|(_, path)| remove(path))
    }

    /// Loads the newest checkpoint, if there is one. Returns the optimizer and the number of updates done.
    ///
    /// # Errors
    ///
    /// [`TrainError::OtherRun`] if it belongs to a run with other settings, and others if a file cannot be read.
    pub fn read_newest<M: Module>(
        &self,
        module: &mut M,
        optimizer: ModuleOptimizer,
        fingerprint: &str,
    ) -> Result<(ModuleOptimizer, u64)> {
        let Some((_, path)) = self.list()?.pop() else { return Ok((optimizer, 0)) };
        let position: Position = read_json(path.join(POSITION))?;
        if position.fingerprint != fingerprint {
            let expected = fingerprint.to_owned();
            return Err(TrainError::OtherRun { path, found: position.fingerprint, expected });
        }
        let weights = Checkpoint::open(path.join(WEIGHTS))?;
        weights.load(module, &KeyMap::IDENTITY, Strictness::Strict)?;
        let state = path.join(OPTIMIZER);
        let optimizer = optimizer
            .load(&state)
            .map_err(|source| TrainError::Optimizer { path: state, source })?;
        Ok((optimizer, position.update))
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TrainError::file(path)(error))
        }
        _ => Ok(()),
    }
}

/// Flushes the files to disk, before the rename that declares the checkpoint complete.
fn sync(folder: &Path) -> Result<()> {
    for name in [WEIGHTS, OPTIMIZER, POSITION] {
        let path = folder.join(name);
        fs::File::open(&path).and_then(|file| file.sync_all()).map_err(TrainError::file(&path))?;
    }
    Ok(())
}
