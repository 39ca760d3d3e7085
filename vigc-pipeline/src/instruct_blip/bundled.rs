//! `vigc-mini`, the model that ships with the project.

use burn::tensor::Device;
use serde::Deserialize;
use vigc_core::weights::{Checkpoint, CheckpointOverlay};
use vigc_llm::tokenizer::{BertTokenizer, SpecialTokens, TextTokenizer};
use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig};

use super::{InstructBlip, InstructBlipConfig, InstructBlipProcessor, keys};
use crate::Result;
use crate::model::{
    LoadOptions, ModelParts, TokenizerFiles, parse_generation_config, parse_stored_ids,
};

/// The part of `processor_config.json` that is read.
#[derive(Deserialize)]
struct StoredProcessor {
    image_processor: BlipImageProcessorConfig,
}

impl InstructBlip {
    /// `vigc-mini`: all parts of the 7B model in small, trained on rendered scenes.
    ///
    /// It knows nothing but such scenes; `model/README.md` of the crate `vigc-mini` has what was measured.
    ///
    /// # Errors
    ///
    /// None in a released crate: the files are part of it and covered by tests.
    pub fn bundled(device: &Device) -> Result<Self> {
        Self::bundled_with(device, &LoadOptions::default())
    }

    /// As [`bundled`](Self::bundled), with weights in the precisions that `options` asks for.
    ///
    /// # Errors
    ///
    /// As [`bundled`](Self::bundled).
    pub fn bundled_with(device: &Device, options: &LoadOptions) -> Result<Self> {
        let config: InstructBlipConfig = parsed("config.json", serde_json::from_slice)?;
        let stored: StoredProcessor = parsed("processor_config.json", serde_json::from_slice)?;
        let ids = parsed("config.json", parse_stored_ids)?;
        let text_tokenizer = TextTokenizer::from_bytes(
            "tokenizer.json",
            file("tokenizer.json"),
            &SpecialTokens::upstream(),
        )?;
        let bert = "qformer_tokenizer/tokenizer.json";
        let bert = BertTokenizer::from_bytes(bert, file(bert))?;
        let images = BlipImageProcessor::new(stored.image_processor)?;
        let dummy_bos = ids.dummy_bos(&text_tokenizer, config.text_config.vocab_size);
        let parts = ModelParts {
            name: vigc_mini::NAME.to_owned(),
            processor: InstructBlipProcessor::new(images, bert, &config, dummy_bos),
            config,
            text_tokenizer,
            generation: parsed("generation_config.json", parse_generation_config)?,
            tokenizer_files: TokenizerFiles::from_bundle(&vigc_mini::FILES),
        };
        let weights = file("model.safetensors").to_vec();
        let weights = Checkpoint::from_bytes(vigc_mini::NAME, weights)?;
        let weights = CheckpointOverlay::default().with(weights.rename(&keys::HUGGING_FACE));
        Ok(Self::from_parts(parts, weights, device, options)?.0)
    }
}

/// A file of the bundled folder.
fn file(name: &str) -> &'static [u8] {
    vigc_mini::file(name).expect("the folder is whole, which is tested in its crate")
}

fn parsed<T>(name: &str, parse: impl FnOnce(&'static [u8]) -> serde_json::Result<T>) -> Result<T> {
    let error = |source| vigc_core::Error::Json { path: name.into(), source };
    Ok(parse(file(name)).map_err(error)?)
}
