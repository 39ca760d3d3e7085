//! Low-rank updates of linear layers, as PEFT saves them (<https://arxiv.org/abs/2106.09685>).
//!
//! An update of a weight `W`, `[out, in]`, is `scale * B A` with `A`, `[r, in]`, and `B`, `[out, r]`. It is added when the
//! weight is read, so a model with an adapter costs no more than one without.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vigc_core::config::read_json;
use vigc_core::weights::{Checkpoint, KeyMap};

use crate::{Error, Result};

/// The part of `adapter_config.json` that decides what an update is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// What the updates are scaled by, times their rank.
    pub lora_alpha: f32,
    /// Whether updates are scaled by the root of the rank instead.
    #[serde(default)]
    pub use_rslora: bool,
    /// Whether weights are `[in, out]`.
    #[serde(default)]
    pub fan_in_fan_out: bool,
    #[serde(default, skip_serializing)]
    use_dora: bool,
    #[serde(default, skip_serializing)]
    alpha_pattern: BTreeMap<String, f32>,
}

impl LoraConfig {
    /// What the reference trains with, whose files hold no configuration.
    #[must_use]
    pub fn reference() -> Self {
        Self {
            lora_alpha: 16.0,
            use_rslora: false,
            fan_in_fan_out: false,
            use_dora: false,
            alpha_pattern: BTreeMap::new(),
        }
    }

    /// What is asked for that a sum of weight and update is not.
    fn unknown(&self) -> Option<&'static str> {
        match self {
            Self { use_dora: true, .. } => Some("use_dora"),
            Self { alpha_pattern, .. } if !alpha_pattern.is_empty() => Some("alpha_pattern"),
            _ => None,
        }
    }

    fn scale(&self, rank: usize) -> f32 {
        let rank = rank as f32;
        self.lora_alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }
}

/// Updates for some of a model's linear layers.
#[derive(Debug, Clone)]
pub struct LoraAdapter {
    config: LoraConfig,
    updates: Checkpoint,
}

/// PEFT's names to `<layer>.lora_A.weight`, the layer named as in the model that is adapted.
const LAYERS: KeyMap =
    KeyMap::new(&[(r"^base_model\.model\.", ""), (r"\.lora_([AB])\.default\.", ".lora_${1}.")]);

const FIRST: &str = ".lora_A.weight";

impl LoraAdapter {
    /// Reads `adapter_config.json` and the updates, `adapter_model.safetensors` or `adapter_model.bin`, from a
    /// folder.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be read, [`Error::Adapter`] if it updates no layer.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let config = read_json(folder.join("adapter_config.json"))?;
        let safetensors = folder.join("adapter_model.safetensors");
        let file = match safetensors.is_file() {
            true => safetensors,
            false => folder.join("adapter_model.bin"),
        };
        Self::new(config, Checkpoint::open(file)?)
    }

    /// The updates among a checkpoint's tensors, whose names begin with PEFT's `base_model.model` or with that
    /// of the layer.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if there is none.
    pub fn new(config: LoraConfig, updates: Checkpoint) -> Result<Self> {
        let adapter = Self { config, updates: updates.rename(&LAYERS) };
        if let Some(setting) = adapter.config.unknown() {
            return Err(adapter.error(format!("sets {setting}, which is not supported")));
        }
        if adapter.layers().next().is_none() {
            return Err(
                adapter.error("updates no layer, expected tensors named *.lora_A.*".to_owned())
            );
        }
        Ok(adapter)
    }

    /// The layers that are updated.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.updates.keys().filter_map(|key| key.strip_suffix(FIRST))
    }

    /// Adds the updates to a model's weights.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if the model lacks one of the layers, it has another shape, or an update is not
    /// whole.
    pub fn merge_into(&self, model: &mut Checkpoint) -> Result<()> {
        let layers: Vec<_> = self.layers().map(str::to_owned).collect();
        model.extend(self.updates.clone());
        for layer in layers {
            self.merge(model, &layer)?;
        }
        Ok(())
    }

    fn merge(&self, model: &mut Checkpoint, layer: &str) -> Result<()> {
        let names =
            ["weight", "lora_A.weight", "lora_B.weight"].map(|part| format!("{layer}.{part}"));
        let shapes = names.each_ref().map(|name| model.shape(name).map(<[usize]>::to_vec));
        let [Some(weight), Some(first), Some(second)] = &shapes else {
            return Err(self
                .error(format!("updates {layer}, of which the model or the update lacks a part")));
        };
        let turned = self.config.fan_in_fan_out;
        let fits = match (&weight[..], &first[..], &second[..]) {
            (&[a, b], &[rank, inputs], &[outputs, same]) => {
                rank == same && [a, b] == if turned { [inputs, outputs] } else { [outputs, inputs] }
            }
            _ => false,
        };
        if !fits {
            let shapes = format!("{first:?} and {second:?} for {weight:?}");
            return Err(self.error(format!("does not fit {layer}: {shapes}")));
        }
        let (rank, inputs) = (first[0], first[1]);
        if rank == 0 || inputs == 0 {
            let problem =
                format!("updates {layer} by {first:?}, expected at least one rank and input");
            return Err(self.error(problem));
        }
        let scale = self.config.scale(rank);
        let make = move |parts: &[Vec<f32>]| updated(parts, rank, inputs, scale, turned);
        model.derive(&names[0], weight, &names.each_ref().map(String::as_str), make)?;
        Ok(())
    }

    fn error(&self, problem: String) -> Error {
        Error::Adapter { path: self.updates.path().to_owned(), problem }
    }
}

/// `W + scale * B A`.
fn updated(parts: &[Vec<f32>], rank: usize, inputs: usize, scale: f32, turned: bool) -> Vec<f32> {
    let [weight, first, second] = parts else { return Vec::new() };
    let mut weight = weight.clone();
    let outputs = second.len() / rank;
    for (output, factors) in second.chunks_exact(rank).enumerate() {
        for (&factor, row) in factors.iter().zip(first.chunks_exact(inputs)) {
            let factor = scale * factor;
            if turned {
                let column = weight.iter_mut().skip(output).step_by(outputs);
                column.zip(row).for_each(|(weight, &value)| *weight += factor * value);
            } else {
                let line = &mut weight[output * inputs..(output + 1) * inputs];
                line.iter_mut().zip(row).for_each(|(weight, &value)| *weight += factor * value);
            }
        }
    }
    weight
}
