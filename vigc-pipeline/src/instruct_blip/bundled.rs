//! `vigc-mini`, the model that ships with the crate.

use burn::tensor::Device;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use vigc_core::weights::Checkpoint;
use vigc_llm::tokenizer::{BertTokenizer, SpecialTokens, TextTokenizer};
use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig};

use super::load::Parts;
use super::{InstructBlip, LoadOptions, TokenizerFiles};
use crate::Result;
use crate::model::StoredTextIds;

/// The files of the bundled folder.
macro_rules! bundled {
    ($file:literal) => {
        include_bytes!(concat!("../../assets/vigc-mini/", $file))
    };
}

/// The part of `processor_config.json` that is read.
#[derive(Deserialize)]
struct Processor {
    image_processor: BlipImageProcessorConfig,
}

impl InstructBlip {
    /// `vigc-mini`: all parts of the 7B model in small, trained on rendered scenes.
    ///
    /// It knows nothing but such scenes; `assets/vigc-mini/README.md` in the repository has what was measured.
    ///
    /// # Errors
    ///
    /// None in a released crate: the folder is part of it and covered by tests.
    pub fn bundled(device: &Device) -> Result<Self> {
        Self::bundled_with(device, &LoadOptions::default())
    }

    /// As [`InstructBlip::bundled`], with weights in the precisions that are asked for.
    ///
    /// # Errors
    ///
    /// As [`InstructBlip::bundled`].
    pub fn bundled_with(device: &Device, options: &LoadOptions) -> Result<Self> {
        let processor: Processor =
            json("processor_config.json", bundled!("processor_config.json"))?;
        let text: &[u8] = bundled!("tokenizer.json");
        let qformer: &[u8] = bundled!("qformer_tokenizer/tokenizer.json");
        let parts = Parts {
            name: "vigc-mini".to_owned(),
            config: json("config.json", bundled!("config.json"))?,
            text_tokenizer: TextTokenizer::from_bytes(
                "tokenizer.json",
                text,
                &SpecialTokens::upstream(),
            )?,
            qformer_tokenizer: BertTokenizer::from_bytes(
                "qformer_tokenizer/tokenizer.json",
                qformer,
            )?,
            processor: BlipImageProcessor::new(processor.image_processor)?,
            generation: json("generation_config.json", bundled!("generation_config.json"))?,
            ids: json::<StoredTextIds>("config.json", bundled!("config.json"))?.text_config,
            tokenizer_files: TokenizerFiles::from_bundle(&[
                ("tokenizer.json", text),
                ("tokenizer_config.json", bundled!("tokenizer_config.json")),
                ("qformer_tokenizer/tokenizer.json", qformer),
                (
                    "qformer_tokenizer/tokenizer_config.json",
                    bundled!("qformer_tokenizer/tokenizer_config.json"),
                ),
            ]),
        };
        let weights = Checkpoint::from_bytes("vigc-mini", bundled!("model.safetensors").to_vec())?;
        Self::from_hugging_face(parts, &weights, device, options)
    }
}

fn json<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T> {
    let parsed = serde_json::from_slice(bytes);
    Ok(parsed.map_err(|source| vigc_core::Error::Json { path: name.into(), source })?)
}
