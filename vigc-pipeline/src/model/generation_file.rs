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
struct StoredGeneration {
    num_beams: Option<usize>,
    max_new_tokens: Option<usize>,
    min_new_tokens: Option<usize>,
    repetition_penalty: Option<f32>,
    length_penalty: Option<f32>,
}

/// The settings that a folder suggests. Where it suggests none, decoding is greedy, within this library's limits.
///
/// # Errors
///
/// [`Error::Core`](crate::Error::Core) if the file exists but cannot be read.
pub fn read_generation_config(folder: &Path) -> Result<GenerationConfig> {
    let path = folder.join("generation_config.json");
    let stored = match path.is_file() {
        true => read_json(path)?,
        false => StoredGeneration::default(),
    };
    Ok(stored.into_config())
}

/// The same from the content of the file.
#[cfg(feature = "mini")]
pub(crate) fn parse_generation_config(json: &[u8]) -> serde_json::Result<GenerationConfig> {
    serde_json::from_slice::<StoredGeneration>(json).map(StoredGeneration::into_config)
}

/// The settings with which the upstream program generates (`blip2_vicuna_instruct.py`, the YAML files of VIGC).
#[must_use]
pub fn upstream_generation_config() -> GenerationConfig {
    let stored = StoredGeneration {
        num_beams: Some(5),
        max_new_tokens: Some(249),
        min_new_tokens: None,
        repetition_penalty: Some(1.5),
        length_penalty: Some(1.0),
    };
    stored.into_config()
}

impl StoredGeneration {
    fn into_config(self) -> GenerationConfig {
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

/// Writes the file for transformers and for [`read_generation_config`].
pub(super) fn write_generation_config(
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
