//! Writing a folder that PEFT opens.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Serialize;
use vigc_core::files::write_json;
use vigc_core::weights::{KeyMap, save_checkpoint};

use super::{LoraAdapter, LoraConfig, is_low_rank};
use crate::Result;

/// `adapter_config.json` as PEFT reads it; what it leaves out has PEFT's default.
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

/// Names of layers to those in PEFT's files.
const TO_PEFT: KeyMap = KeyMap::new(&[("^", "base_model.model.")]);

impl LoraAdapter {
    /// Saves the updates as a folder that PEFT's `PeftModel.from_pretrained` opens: `adapter_config.json`, then
    /// `adapter_model.safetensors`, each whole or not at all. A folder that holds the latter is complete.
    ///
    /// `target_modules` has names like `q_proj` if the updates are those of the same layers in every block from the first to
    /// the last that has any, else the full name of each layer. Should the model have more blocks than that, PEFT gives them
    /// updates of zero.
    ///
    /// # Errors
    ///
    /// [`Error::Adapter`](crate::Error::Adapter) if it holds more than low-rank updates, or one that is not whole,
    /// [`Error::Core`](crate::Error::Core) if a file cannot be read or written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        if let Some(other) = self.updates.keys().find(|name| !is_low_rank(name)) {
            return Err(self.error(format!("holds {other}, expected low-rank updates alone")));
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
        let unwritten = |source| vigc_core::Error::Write { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unwritten)?;
        write_json(folder.join("adapter_config.json"), &stored)?;
        let updates = self.updates.clone().rename(&TO_PEFT);
        Ok(save_checkpoint(&updates, folder.join("adapter_model.safetensors"))?)
    }

    /// The rank of every layer's update.
    fn ranks(&self) -> Result<BTreeMap<&str, usize>> {
        let rank = |layer| {
            let [first, second] =
                ["A", "B"].map(|part| self.updates.shape(&format!("{layer}.lora_{part}.weight")));
            match (first, second) {
                (Some(&[rank, _]), Some(&[_, same])) if rank == same => Ok((layer, rank)),
                _ => Err(self.error(format!("does not fit {layer}: {first:?} and {second:?}"))),
            }
        };
        self.layers().map(rank).collect()
    }
}

/// The value that most have, the largest of several.
fn most_frequent(values: impl Iterator<Item = usize>) -> usize {
    let mut counts = BTreeMap::<_, usize>::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(value, _)| value)
}

/// What PEFT has to be told to update these layers and no others.
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

/// The number of a layer's block and its name there.
fn in_block(layer: &str) -> Option<(usize, &str)> {
    let (number, inner) = layer.strip_prefix("model.layers.")?.split_once('.')?;
    Some((number.parse().ok()?, inner))
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
