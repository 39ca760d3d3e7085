//! Writing a Hugging Face folder that transformers opens.

use std::fs;
use std::path::Path;

use burn::tensor::DType;
use serde_json::{Value, json};
use vigc_core::files::write_json;
use vigc_core::weights::save;

use super::{InstructBlip, InstructBlipConfig, Network, keys};
use crate::model::{dtype_name, write_generation};
use crate::{Error, Result};

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
        write_generation(folder, self.generation_config(), text)?;
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
    stored["dtype"] = json!(dtype_name(config.precisions, dtype));
    stored["vision_config"]["model_type"] = json!("instructblip_vision_model");
    stored["qformer_config"]["model_type"] = json!("instructblip_qformer");
    stored["text_config"]["bos_token_id"] = json!(ids.bos);
    stored["text_config"]["eos_token_id"] = json!(ids.eos);
    stored["text_config"]["pad_token_id"] = json!(ids.pad);
    Ok(stored)
}
