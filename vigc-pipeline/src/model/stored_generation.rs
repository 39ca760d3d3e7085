//! `generation_config.json`.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use vigc_core::files::{read_json, write_json};
use vigc_llm::generation::{GenerationConfig, Strategy};
use vigc_llm::tokenizer::TextTokenizer;

use crate::Result;

/// The settings of `generation_config.json` that have a meaning here.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct StoredGeneration {
    num_beams: Option<usize>,
    max_new_tokens: Option<usize>,
    min_new_tokens: Option<usize>,
    repetition_penalty: Option<f32>,
    length_penalty: Option<f32>,
}

impl StoredGeneration {
    /// What a folder says, if it says anything.
    pub(crate) fn from_dir(folder: &Path) -> Result<Self> {
        let path = folder.join("generation_config.json");
        if path.is_file() { Ok(read_json(path)?) } else { Ok(Self::default()) }
    }

    /// What the reference generates with (`blip2_vicuna_instruct.py`, the YAML files of VIGC).
    pub(crate) fn reference() -> Self {
        Self {
            num_beams: Some(5),
            max_new_tokens: Some(249),
            min_new_tokens: None,
            repetition_penalty: Some(1.5),
            length_penalty: Some(1.0),
        }
    }

    /// The file's settings; greedy with the library's limits where it is silent.
    pub(crate) fn into_config(self) -> GenerationConfig {
        let base = match self.num_beams {
            Some(beams) if beams > 1 => GenerationConfig::beam_search(beams),
            _ => GenerationConfig::greedy(),
        };
        let base = base
            .with_repetition_penalty(self.repetition_penalty.unwrap_or(1.0))
            .with_length_penalty(self.length_penalty.unwrap_or(1.0))
            .with_min_new_tokens(self.min_new_tokens.unwrap_or(0));
        match self.max_new_tokens {
            Some(most) => base.with_max_new_tokens(most),
            None => base,
        }
    }
}

/// What a folder says of a generation, for transformers and for [`StoredGeneration::from_dir`].
pub(crate) fn write_generation(
    folder: &Path,
    settings: &GenerationConfig,
    tokenizer: &TextTokenizer,
) -> Result<()> {
    let beams = match settings.strategy {
        Strategy::Beam { beams } => beams,
        _ => 1,
    };
    let stored = json!({
        "num_beams": beams,
        "bos_token_id": tokenizer.bos_id(),
        "eos_token_id": tokenizer.eos_id(),
        "pad_token_id": tokenizer.pad_id(),
        "max_new_tokens": settings.max_new_tokens,
        "repetition_penalty": settings.repetition_penalty,
        "length_penalty": settings.length_penalty,
    });
    Ok(write_json(folder.join("generation_config.json"), &stored)?)
}
