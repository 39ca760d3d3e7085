//! Low-rank updates of linear layers, as PEFT saves them (<https://arxiv.org/abs/2106.09685>).
//!
//! An update of a weight `W`, `[out, in]`, is `scale * B A` with `A`, `[r, in]`, and `B`, `[out, r]`. It is added when the
//! weight is read, so a model with an adapter costs no more than one without.

mod config;
mod save;

use std::collections::BTreeSet;
use std::path::Path;

use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, KeyMap};

use self::config::AlphaPattern;
use crate::{Error, Result};

pub use self::config::LoraConfig;

/// Updates for some of a model's linear layers.
#[derive(Debug, Clone)]
pub struct LoraAdapter {
    config: LoraConfig,
    alphas: AlphaPattern,
    updates: Checkpoint,
}

/// PEFT's names to `<layer>.weight` and `<layer>.lora_A.weight`, the layer named as in the model that is adapted.
const LAYERS: KeyMap = KeyMap::new(&[
    (r"^base_model\.model\.", ""),
    (r"\.lora_([AB])\.default\.", ".lora_${1}."),
    (r"\.base_layer\.", "."),
]);

const FIRST: &str = ".lora_A.weight";

/// Whether a tensor is one of the two that an update is made of, by its name.
#[must_use]
pub fn is_low_rank(name: &str) -> bool {
    name.contains(".lora_A.") || name.contains(".lora_B.")
}

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
    /// [`Error::Adapter`] if there is none, or the configuration asks for more than low-rank updates.
    pub fn new(config: LoraConfig, updates: Checkpoint) -> Result<Self> {
        let updates = updates.rename(&LAYERS);
        let alphas = config.alphas().map_err(|problem| error(&updates, problem))?;
        let adapter = Self { config, alphas, updates };
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

    /// Names the model that is updated, for [`LoraAdapter::save`].
    #[must_use]
    pub fn with_base_model(mut self, name: impl Into<String>) -> Self {
        self.config.base_model_name_or_path = Some(name.into());
        self
    }

    /// Adds the updates to a model's weights.
    ///
    /// # Errors
    ///
    /// As [`LoraAdapter::merged`].
    pub fn merge_into(&self, model: &mut Checkpoint) -> Result<()> {
        model.extend(self.merged(model)?);
        Ok(())
    }

    /// The weights that the updates change, changed, and whatever else lies beside the updates. A weight that lies there
    /// counts before the model's.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if the model lacks one of the layers, it has another shape, or an update is not
    /// whole.
    pub fn merged(&self, model: &Checkpoint) -> Result<Checkpoint> {
        let weights: BTreeSet<_> = self.layers().map(|layer| format!("{layer}.weight")).collect();
        let mut below = model.clone();
        below.retain(|name| weights.contains(name) && self.updates.shape(name).is_none());
        let mut merged = self.updates.clone();
        merged.extend(below);
        for layer in self.layers() {
            self.merge(&mut merged, layer)?;
        }
        Ok(merged)
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
        let scale = self.config.scale(&self.alphas, layer, rank);
        let make = move |parts: &[Vec<f32>]| updated(parts, rank, inputs, scale, turned);
        model.derive(&names[0], weight, &names.each_ref().map(String::as_str), make)?;
        Ok(())
    }

    fn error(&self, problem: String) -> Error {
        error(&self.updates, problem)
    }
}

fn error(updates: &Checkpoint, problem: String) -> Error {
    Error::Adapter { path: updates.path().to_owned(), problem }
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
