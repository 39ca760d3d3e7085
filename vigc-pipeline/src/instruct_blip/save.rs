//! Writing a Hugging Face folder that transformers opens.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::DType;
use serde_json::{Value, json};
use vigc_core::config::{write_json, write_whole};
use vigc_core::nn::Precision;
use vigc_core::weights::save;
use vigc_llm::generation::Strategy;
use vigc_llm::tokenizer::SpecialTokens;

use super::{InstructBlip, InstructBlipConfig, Network, keys};
use crate::{Error, Result};

/// The files that describe both tokenizers, by their names in a folder.
const TOKENIZER_FILES: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "qformer_tokenizer/tokenizer.json",
    "qformer_tokenizer/tokenizer_config.json",
    "qformer_tokenizer/vocab.txt",
];

/// The files of both tokenizers, kept as they were read.
#[derive(Debug, Clone, Default)]
pub struct TokenizerFiles(Vec<(String, Vec<u8>)>);

impl TokenizerFiles {
    /// Reads those that a folder holds.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if one is there but cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let present = TOKENIZER_FILES.iter().filter(|name| folder.join(name).is_file());
        let read = |name: &&str| {
            let path = folder.join(name);
            let bytes = fs::read(&path).map_err(|source| Error::Read { path, source })?;
            Ok(((*name).to_owned(), bytes))
        };
        present.map(read).collect::<Result<_>>().map(Self)
    }

    /// Reads those of a language model's folder and those of a folder of the Q-Former's words. The special tokens
    /// become the reference's.
    pub(super) fn of(language: &Path, bert: &Path) -> Result<Self> {
        let inner = ["tokenizer.json", "tokenizer_config.json", "vocab.txt"];
        let outer = TOKENIZER_FILES.iter().filter(|name| !name.contains('/'));
        let outer = outer.map(|name| (language.join(name), (*name).to_owned()));
        let inner = inner.map(|name| (bert.join(name), format!("qformer_tokenizer/{name}")));
        let present = outer.chain(inner).filter(|(path, _)| path.is_file());
        let read = |(path, name): (PathBuf, String)| match fs::read(&path) {
            Ok(bytes) => Ok((name, bytes)),
            Err(source) => Err(Error::Read { path, source }),
        };
        let mut files = present.map(read).collect::<Result<Vec<_>>>()?;
        files.retain(|(name, _)| {
            !matches!(&**name, "tokenizer_config.json" | "special_tokens_map.json")
        });
        let SpecialTokens { bos, eos, pad } = SpecialTokens::reference();
        let config =
            json!({ "bos_token": bos, "eos_token": eos, "unk_token": eos, "pad_token": pad });
        files.push(("tokenizer_config.json".to_owned(), config.to_string().into_bytes()));
        Ok(Self(files))
    }

    pub(super) fn from_bundle(files: &[(&str, &[u8])]) -> Self {
        Self(files.iter().map(|&(name, bytes)| (name.to_owned(), bytes.to_vec())).collect())
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let inner = folder.join("qformer_tokenizer");
        fs::create_dir_all(&inner).map_err(|source| Error::Write { path: inner, source })?;
        for (name, bytes) in &self.0 {
            write_whole(folder.join(name), bytes)?;
        }
        Ok(())
    }
}

/// What a saved folder says besides the weights.
#[derive(Debug, Clone, Copy)]
pub struct SpecialIds {
    /// Begins texts by the language model's own configuration. Prompts begin with the tokenizer's token.
    pub bos: u32,
    /// Ends every answer.
    pub eos: u32,
    /// Fills up the rows of a batch.
    pub pad: u32,
}

impl InstructBlip {
    /// Saves the model to a folder in Hugging Face's layout, its weights in `dtype`.
    ///
    /// The weights come last, so a folder that holds them is complete.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::Core`] if a file cannot be written.
    pub fn save_pretrained(&self, folder: impl AsRef<Path>, dtype: DType) -> Result<()> {
        let folder = folder.as_ref();
        let text = self.text_tokenizer();
        let ids = SpecialIds { bos: self.dummy_bos, eos: text.eos_id(), pad: text.pad_id() };
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        self.tokenizer_files.write(folder)?;
        let processor = json!({
            "image_processor": self.processor().config(),
            "num_query_tokens": self.config().num_query_tokens,
            "processor_class": "InstructBlipProcessor",
        });
        write_json(folder.join("processor_config.json"), &processor)?;
        let generation = self.generation_config();
        let beams = match generation.strategy {
            Strategy::Beam { beams } => beams,
            _ => 1,
        };
        let generation = json!({
            "num_beams": beams,
            "bos_token_id": text.bos_id(),
            "eos_token_id": ids.eos,
            "pad_token_id": ids.pad,
            "max_new_tokens": generation.max_new_tokens,
            "repetition_penalty": generation.repetition_penalty,
            "length_penalty": generation.length_penalty,
        });
        write_json(folder.join("generation_config.json"), &generation)?;
        save_network(self.network(), self.config(), ids, dtype, folder)
    }
}

/// Saves `config.json` and `model.safetensors` with Hugging Face's names, the weights in `dtype`.
///
/// # Errors
///
/// [`Error::Core`] if a file cannot be written.
pub fn save_network(
    network: &Network,
    config: &InstructBlipConfig,
    ids: SpecialIds,
    dtype: DType,
    folder: &Path,
) -> Result<()> {
    write_json(folder.join("config.json"), &stored_config(config, ids, dtype)?)?;
    Ok(save(network, &keys::TO_HUGGING_FACE, dtype, folder.join("model.safetensors"))?)
}

/// The configuration with what transformers needs to know what it is.
fn stored_config(config: &InstructBlipConfig, ids: SpecialIds, dtype: DType) -> Result<Value> {
    let path = || "config.json".into();
    let mut stored = serde_json::to_value(config)
        .map_err(|source| vigc_core::Error::Json { path: path(), source })?;
    stored["architectures"] = json!(["InstructBlipForConditionalGeneration"]);
    stored["model_type"] = json!("instructblip");
    stored["use_decoder_only_language_model"] = json!(true);
    // What transformers makes of all weights: that of the most, the language model's.
    let dtype = match config.precisions.language {
        Precision::F16 => DType::F16,
        Precision::Bf16 => DType::BF16,
        _ => dtype,
    };
    stored["dtype"] = json!(dtype_name(dtype));
    stored["vision_config"]["model_type"] = json!("instructblip_vision_model");
    stored["qformer_config"]["model_type"] = json!("instructblip_qformer");
    stored["text_config"]["bos_token_id"] = json!(ids.bos);
    stored["text_config"]["eos_token_id"] = json!(ids.eos);
    stored["text_config"]["pad_token_id"] = json!(ids.pad);
    Ok(stored)
}

fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F16 => "float16",
        DType::BF16 => "bfloat16",
        _ => "float32",
    }
}
