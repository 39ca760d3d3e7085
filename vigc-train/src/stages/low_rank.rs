//! Low-rank updates of a language model that are trained (<https://arxiv.org/abs/2106.09685>).

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use vigc_core::nn::LowRankUpdate;
use vigc_core::weights::Checkpoint;
use vigc_llm::llama::Llama;
use vigc_llm::lora::{LoraAdapter, LoraConfig};

use crate::error::{Result, TrainError};
use crate::recipe::LoraSection;

/// Updates of some of a language model's linear layers.
#[derive(Module, Debug)]
pub struct LowRank {
    updates: Vec<LowRankUpdate>,
    #[module(skip)]
    layers: Vec<String>,
}

impl LowRank {
    /// Updates that change nothing yet, of those layers of a language model that a recipe names.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] if it names none, or a rank of 0.
    pub fn new(section: &LoraSection, llama: &Llama, device: &Device) -> Result<Self> {
        let LoraSection { r, alpha, target_modules } = section;
        let scale = alpha / (*r).max(1) as f32;
        let mut llama = llama.clone();
        let targets = llama.linear_layers().filter(|(name, _)| {
            let own = name.rsplit('.').next();
            target_modules.iter().any(|target| own == Some(target.as_str()))
        });
        let (layers, updates): (Vec<_>, Vec<_>) = targets
            .map(|(name, layer)| (name, LowRankUpdate::new(layer.widths(), *r, scale, device)))
            .unzip();
        if *r == 0 || layers.is_empty() {
            return Err(TrainError::Setting {
                key: "model.lora",
                value: format!("r = {r}, target_modules = {target_modules:?}"),
                expected: "a rank and layers that the language model has",
            });
        }
        Ok(Self { updates, layers })
    }

    /// The language model with the updates beside its weights.
    #[must_use]
    pub fn apply(&self, llama: &Llama) -> Llama {
        let mut llama = llama.clone();
        let mut updates = self.layers.iter().zip(&self.updates).peekable();
        for (name, layer) in llama.linear_layers() {
            if let Some((_, update)) = updates.next_if(|(updated, _)| **updated == name) {
                layer.set_update(update.clone());
            }
        }
        llama
    }

    /// The language model with the updates added to its weights, which have to be in f32.
    #[must_use]
    pub fn merge(&self, llama: &Llama) -> Llama {
        let mut llama = self.apply(llama);
        for (_, layer) in llama.linear_layers() {
            *layer = layer.clone().merged();
        }
        llama
    }

    /// Writes the updates as a folder that PEFT opens.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if a file cannot be written.
    pub fn save(&self, alpha: f32, base_model: &str, folder: &Path) -> Result<()> {
        let mut tensors = Vec::new();
        for (layer, update) in self.layers.iter().zip(&self.updates) {
            for (part, factor) in [("A", &update.first), ("B", &update.second)] {
                let factor = factor.val().transpose().into_data();
                tensors.push((format!("{layer}.lora_{part}.weight"), factor));
            }
        }
        let updates = Checkpoint::from_tensors(&folder.to_string_lossy(), tensors);
        let mut config = LoraConfig::reference();
        config.lora_alpha = alpha;
        let adapter = LoraAdapter::new(config, updates)?;
        Ok(adapter.with_base_model(base_model).save(folder)?)
    }
}
