//! Training of low-rank updates of a language model (<https://arxiv.org/abs/2106.09685>).

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use vigc_core::nn::LowRankUpdate;
use vigc_core::weights::Checkpoint;
use vigc_llm::llama::Llama;
use vigc_llm::lora::{LoraAdapter, LoraConfig};

use crate::error::{Result, TrainError};
use crate::recipe::LoraSection;

/// Low-rank updates of some linear layers of a language model.
#[derive(Module, Debug)]
pub struct LowRank {
    updates: Vec<LowRankUpdate>,
    #[module(skip)]
    layers: Vec<String>,
}

impl LowRank {
    /// Creates updates that change nothing yet, for the layers that a recipe names.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] if the rank is 0 or the language model has none of the layers.
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
                expected: "a rank of at least 1 and names of linear layers of the language model",
            });
        }
        Ok(Self { updates, layers })
    }

    /// The language model with the updates applied in its forward pass.
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

    /// The language model with the updates merged into its weights, which must be in f32.
    #[must_use]
    pub fn merge(&self, llama: &Llama) -> Llama {
        let mut llama = self.apply(llama);
        for (_, layer) in llama.linear_layers() {
            *layer = layer.clone().merged();
        }
        llama
    }

    /// Writes the updates to a folder in PEFT's format.
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
        let mut config = LoraConfig::upstream();
        config.lora_alpha = alpha;
        let adapter = LoraAdapter::new(config, updates)?;
        Ok(adapter.with_base_model(base_model).save(folder)?)
    }
}
