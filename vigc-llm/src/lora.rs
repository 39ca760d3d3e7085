//! Low-rank adaptation (<https://arxiv.org/abs/2106.09685>): updates of linear layers, in the format of PEFT.
//!
//! The update of a weight `W`, `[out, in]`, is `scale * B A` with `A`, `[r, in]`, and `B`, `[out, r]`. It is added to the
//! weight when a checkpoint is read, so a model with an adapter is as fast as one without.

mod config;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Serialize;
use vigc_core::files::{read_json, write_json};
use vigc_core::weights::{Checkpoint, KeyMap, save_checkpoint};

use self::config::AlphaPattern;
use crate::{Error, Result};

pub use self::config::LoraConfig;

/// `adapter_config.json` in PEFT's format. Missing fields have PEFT's defaults.
#[derive(Serialize)]
struct Stored<'a> {
    peft_type: &'static str,
    #[serde(flatten)]
    config: &'a LoraConfig,
    inference_mode: bool,
    bias: &'static str,
    r: usize,
    rank_pattern: BTreeMap<&'a str, usize>,
    target_modules: BTreeSet<&'a str>,
}

/// Renames the keys of layers to those of PEFT's files.
const TO_PEFT: KeyMap = KeyMap::new(&[("^", "base_model.model.")]);

/// Updates for some of a model's linear layers.
#[derive(Debug, Clone)]
pub struct LoraAdapter {
    config: LoraConfig,
    alphas: AlphaPattern,
    updates: Checkpoint,
}

/// Renames PEFT's keys to `<layer>.weight` and `<layer>.lora_A.weight`, with the layer's name in the base model.
const FROM_PEFT: KeyMap = KeyMap::new(&[
    (r"^base_model\.model\.", ""),
    (r"\.lora_([AB])\.default\.", ".lora_${1}."),
    (r"\.base_layer\.", "."),
]);

const LORA_A: &str = ".lora_A.weight";

/// Whether the name of a tensor is that of an update's `A` or `B`.
#[must_use]
pub fn is_lora_key(name: &str) -> bool {
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

    /// Takes the updates from a checkpoint. The names of tensors begin with PEFT's `base_model.model` or with the name of the
    /// layer.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if the checkpoint has no updates or the configuration asks for more than low-rank updates.
    pub fn new(config: LoraConfig, updates: Checkpoint) -> Result<Self> {
        let updates = updates.rename(&FROM_PEFT);
        let alphas = config.alphas().map_err(|problem| error(&updates, problem))?;
        let adapter = Self { config, alphas, updates };
        if adapter.layers().next().is_none() {
            return Err(
                adapter.error("updates no layer, expected tensors named *.lora_A.*".to_owned())
            );
        }
        Ok(adapter)
    }

    /// The names of the updated layers.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.updates.keys().filter_map(|key| key.strip_suffix(LORA_A))
    }

    /// Sets the name of the base model, which [`LoraAdapter::save`] writes.
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

    /// The updated weights, and the other tensors of the adapter's checkpoint. If that checkpoint contains a weight, it
    /// replaces the model's.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if the model lacks one of the layers or has it in another shape, or if an update is incomplete.
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
        let [Some(weight), Some(a), Some(b)] = &shapes else {
            return Err(self.error(format!(
                "updates {layer}, but the model or the update lacks a part of it"
            )));
        };
        let transposed = self.config.fan_in_fan_out;
        let fits = match (&weight[..], &a[..], &b[..]) {
            (&[rows, columns], &[rank, inputs], &[outputs, same]) => {
                let expected = if transposed { [inputs, outputs] } else { [outputs, inputs] };
                rank == same && [rows, columns] == expected
            }
            _ => false,
        };
        if !fits {
            let shapes = format!("{a:?} and {b:?} for {weight:?}");
            return Err(self.error(format!("does not fit {layer}: {shapes}")));
        }
        let (rank, inputs) = (a[0], a[1]);
        if rank == 0 || inputs == 0 {
            let problem =
                format!("updates {layer} by {a:?}, expected a rank and inputs of at least 1");
            return Err(self.error(problem));
        }
        let scale = self.config.scale(&self.alphas, layer, rank);
        let make = move |parts: &[Vec<f32>]| updated(parts, rank, inputs, scale, transposed);
        model.derive(&names[0], weight, &names.each_ref().map(String::as_str), make)?;
        Ok(())
    }

    fn error(&self, problem: String) -> Error {
        error(&self.updates, problem)
    }
}

impl LoraAdapter {
    /// Saves the updates to a folder that `PeftModel.from_pretrained` can open: first `adapter_config.json`, then
    /// `adapter_model.safetensors`. Each file is written whole or not at all, so a folder with the latter is complete.
    ///
    /// `target_modules` has short names like `q_proj` if the same layers are updated in every block up to the last updated
    /// one, else the full name of each layer. If the model has more blocks, PEFT gives those an update of zero.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`] if the adapter contains other tensors than low-rank updates, or an incomplete update, [`Error::Core`]
    /// if a file cannot be read or written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        if let Some(other) = self.updates.keys().find(|name| !is_lora_key(name)) {
            return Err(self.error(format!("contains {other}, expected low-rank updates only")));
        }
        let ranks = self.ranks()?;
        let r = most_frequent(ranks.values().copied());
        let stored = Stored {
            peft_type: "LORA",
            config: &self.config,
            inference_mode: true,
            bias: "none",
            r,
            target_modules: target_modules(ranks.keys().copied()),
            rank_pattern: ranks.into_iter().filter(|&(_, rank)| rank != r).collect(),
        };
        let fail = |source| vigc_core::Error::Write { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(fail)?;
        write_json(folder.join("adapter_config.json"), &stored)?;
        let updates = self.updates.clone().rename(&TO_PEFT);
        Ok(save_checkpoint(&updates, folder.join("adapter_model.safetensors"))?)
    }

    /// The rank of every layer's update.
    fn ranks(&self) -> Result<BTreeMap<&str, usize>> {
        let rank = |layer| {
            let [a, b] =
                ["A", "B"].map(|part| self.updates.shape(&format!("{layer}.lora_{part}.weight")));
            match (a, b) {
                (Some(&[rank, _]), Some(&[_, same])) if rank == same => Ok((layer, rank)),
                _ => Err(self.error(format!("does not fit {layer}: {a:?} and {b:?}"))),
            }
        };
        self.layers().map(rank).collect()
    }
}

/// The most frequent value. Of equally frequent ones, the largest.
fn most_frequent(values: impl Iterator<Item = usize>) -> usize {
    let mut counts = BTreeMap::<_, usize>::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(value, _)| value)
}

/// The `target_modules` with which PEFT updates these layers and no others.
fn target_modules<'a>(layers: impl Iterator<Item = &'a str> + Clone) -> BTreeSet<&'a str> {
    let mut blocks = BTreeMap::<_, BTreeSet<usize>>::new();
    for layer in layers.clone() {
        match in_block(layer) {
            Some((number, inner)) => _ = blocks.entry(inner).or_default().insert(number),
            None => return layers.collect(),
        }
    }
    let last = blocks.values().flatten().max().copied().unwrap_or(0);
    if blocks.values().any(|numbers| numbers.len() != last + 1) {
        return layers.collect();
    }
    blocks.into_keys().map(|inner| inner.rsplit('.').next().unwrap_or(inner)).collect()
}

/// The number of a layer's block and the layer's name in it.
fn in_block(layer: &str) -> Option<(usize, &str)> {
    let (number, inner) = layer.strip_prefix("model.layers.")?.split_once('.')?;
    Some((number.parse().ok()?, inner))
}

fn error(updates: &Checkpoint, problem: String) -> Error {
    Error::Adapter { path: updates.path().to_owned(), problem }
}

/// `W + scale * B A`.
fn updated(
    parts: &[Vec<f32>],
    rank: usize,
    inputs: usize,
    scale: f32,
    transposed: bool,
) -> Vec<f32> {
    let [weight, a, b] = parts else { return Vec::new() };
    let mut weight = weight.clone();
    let outputs = b.len() / rank;
    for (output, factors) in b.chunks_exact(rank).enumerate() {
        for (&factor, row) in factors.iter().zip(a.chunks_exact(inputs)) {
            let factor = scale * factor;
            if transposed {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_one_by_one_unless_all_blocks_have_them() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&["model.layers.0.a.q", "model.layers.1.a.q"], &["q"]),
            (&["model.layers.0.a.q", "model.layers.0.b.v"], &["q", "v"]),
            (&["model.layers.1.a.q"], &["model.layers.1.a.q"]),
            (
                &["model.layers.0.a.q", "model.layers.1.a.q", "model.layers.1.a.v"],
                &["model.layers.0.a.q", "model.layers.1.a.q", "model.layers.1.a.v"],
            ),
            (&["lm_head", "model.layers.0.a.q"], &["lm_head", "model.layers.0.a.q"]),
        ];
        for (layers, expected) in cases {
            let targets = target_modules(layers.iter().copied());
            assert!(targets.iter().eq(expected.iter()), "{layers:?}: {targets:?}");
        }
    }

    #[test]
    fn the_most_frequent_rank_is_the_common_one() {
        assert_eq!(most_frequent([4, 2, 2].into_iter()), 2);
        assert_eq!(most_frequent([4, 2].into_iter()), 4);
    }
}
