//! What a file of weights is, told by the names in it.

use std::fmt;
use std::path::Path;

use vigc_core::weights::{Checkpoint, KeyMap};
use vigc_llm::lora::is_lora_key;

use super::keys::{self, LAVIS_LANGUAGE, PEFT_LANGUAGE};
use crate::{Error, Result};

/// What a file of weights is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A whole model with Hugging Face's names.
    HuggingFace,
    /// A model with the names of LAVIS and VIGC, or the part of it that was trained: `instruct_blip_*.pth`,
    /// `blip2_pretrained_*.pth`, `vigc*.pth`.
    Lavis,
    /// The released image encoder, `eva_vit_g.pth`.
    EvaVit,
    /// A LLaMA or Vicuna.
    Llama,
    /// What MiniGPT-4 calls a checkpoint: one projection that nothing here reads.
    MiniGpt4,
    /// Low-rank updates of a language model, as PEFT saves them.
    Adapter,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HuggingFace => "a whole InstructBLIP with Hugging Face's names",
            Self::Lavis => "a file of LAVIS or VIGC",
            Self::EvaVit => "an EVA image encoder",
            Self::Llama => "a LLaMA",
            Self::MiniGpt4 => "a MiniGPT-4 checkpoint, which holds nothing but llama_proj",
            Self::Adapter => "a PEFT adapter",
        })
    }
}

impl FileKind {
    /// What the names say; nothing if they are of no kind that is known.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let has = |part: &str| checkpoint.keys().any(|key| key.contains(part));
        let begins = |part: &str| checkpoint.keys().any(|key| key.starts_with(part));
        let parts = ["visual_encoder", "Qformer", "llm_proj", LAVIS_LANGUAGE, PEFT_LANGUAGE];
        if parts.iter().any(|part| begins(&format!("{part}."))) {
            Some(Self::Lavis)
        } else if has(".lora_A.") {
            Some(Self::Adapter)
        } else if begins("vision_model.") || begins("language_projection.") {
            Some(Self::HuggingFace)
        } else if begins("blocks.") && begins("patch_embed.") {
            Some(Self::EvaVit)
        } else if begins("model.layers.") {
            Some(Self::Llama)
        } else if begins("llama_proj.") {
            Some(Self::MiniGpt4)
        } else {
            None
        }
    }

    /// Opens a file that has to be of one kind, its tensors under the network's names.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if it cannot be read or holds copies that differ, [`Error::FileKind`] if it is something else.
    pub fn open(self, path: &Path) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::open(path)?;
        let found = Self::of(&checkpoint);
        if found == Some(self) {
            return self.with_network_names(self.without_copies(checkpoint)?);
        }
        Err(Error::FileKind {
            path: path.to_owned(),
            found: found.map_or_else(|| unknown(&checkpoint), |kind| kind.to_string()),
            expected: self.to_string(),
        })
    }

    /// A file's tensors without the copies among them, which [`Checkpoint::copies`] names then.
    ///
    /// VIGC's trainer with PEFT has the language model in two places, and saves the low-rank updates below `llm_model` and
    /// below `llm.base_model.model`. What is frozen it saves in the second alone, since it looks for it by its name in the
    /// first (`runner_base.py`, `_save_checkpoint`); trainers that do not look save all of it twice.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a tensor has another shape than its copy, or a low-rank update other values.
    pub fn without_copies(self, checkpoint: Checkpoint) -> Result<Checkpoint> {
        match self {
            Self::Lavis => Ok(checkpoint.unify(PEFT_LANGUAGE, LAVIS_LANGUAGE, is_lora_key)?),
            _ => Ok(checkpoint),
        }
    }

    /// What the network calls the tensor that such a file calls by a name; the same where nothing takes it.
    pub fn network_names(self) -> impl Fn(&str) -> String {
        let rules: Vec<_> = self.keys().iter().map(KeyMap::compile).collect();
        move |name| rules.iter().fold(name.to_owned(), |name, rename| rename(&name))
    }

    fn keys(self) -> &'static [KeyMap] {
        match self {
            Self::HuggingFace => &[keys::HUGGING_FACE],
            Self::Lavis => &[keys::LAVIS],
            Self::EvaVit => &[keys::EVA_TO_LAVIS, keys::LAVIS],
            Self::Llama => &[keys::LLAMA],
            Self::MiniGpt4 | Self::Adapter => &[],
        }
    }

    fn with_network_names(self, checkpoint: Checkpoint) -> Result<Checkpoint> {
        joined(self.keys().iter().fold(checkpoint, Checkpoint::rename))
    }
}

fn unknown(checkpoint: &Checkpoint) -> String {
    match checkpoint.keys().next() {
        Some(first) => format!("something unknown, whose first tensor is {first:?}"),
        None => "empty".to_owned(),
    }
}

/// One bias for queries, keys and values, as the network has it, where queries and values have one each.
fn joined(mut checkpoint: Checkpoint) -> Result<Checkpoint> {
    const OF_QUERIES: &str = ".q_bias";
    let layers: Vec<String> = checkpoint
        .keys()
        .filter_map(|key| key.strip_suffix(OF_QUERIES))
        .map(str::to_owned)
        .collect();
    for layer in layers {
        let parts = [format!("{layer}{OF_QUERIES}"), format!("{layer}.v_bias")];
        let width = checkpoint.shape(&parts[0]).map_or(0, |shape| shape.iter().product());
        checkpoint.derive(
            &format!("{layer}.qkv.bias"),
            &[3 * width],
            &parts.each_ref().map(String::as_str),
            |parts| [&parts[0][..], &vec![0.0; parts[0].len()], &parts[1]].concat(),
        )?;
    }
    Ok(checkpoint)
}
