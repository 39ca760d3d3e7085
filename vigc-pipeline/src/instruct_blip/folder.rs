//! InstructBLIP as an architecture: its folders, as Hugging Face has them, and its prompts.

use std::path::Path;

use burn::tensor::{DType, Device};
use serde_json::{Value, json};
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, CheckpointOverlay, KeyMap};
use vigc_llm::generation::Rules;
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};
use vigc_vision::image::BlipImageProcessor;

use super::config::{InstructBlipConfig, InstructBlipProcessor};
use super::keys;
use super::network::{EvaEncoder, Network, QFormerConnector};
use crate::Result;
use crate::model::{
    Architecture, ImagePreprocessor, ModelParts, Padding, Precisions, PromptTokens, TokenizerFiles,
    dtype_name, folder_name, read_generation_config, read_stored_ids,
};

impl Architecture for InstructBlipConfig {
    type ImageEncoder = EvaEncoder;
    type Connector = QFormerConnector;
    type Processor = InstructBlipProcessor;

    const MODEL_TYPES: &'static [&'static str] = &["instructblip"];
    const PADDING: Padding = Padding::AfterImage;
    const MAX_TRAINED_PROMPT: usize = 128;
    /// 256, of which the upstream program counts the answer's begin token, which it then drops.
    const MAX_TRAINED_ANSWER: usize = 255;

    fn open(folder: &Path) -> Result<(ModelParts<Self>, CheckpointOverlay)> {
        let text_tokenizer = TextTokenizer::from_dir(folder)?;
        let ids = read_stored_ids(folder, &text_tokenizer)?;
        let config: Self = read_json(folder.join("config.json"))?;
        let dummy_bos = ids.dummy_bos(&text_tokenizer, config.text_config.vocab_size);
        let bert = BertTokenizer::from_dir(folder.join("qformer_tokenizer"))?;
        let images = BlipImageProcessor::from_dir(folder)?;
        let parts = ModelParts {
            name: folder_name(folder),
            processor: InstructBlipProcessor::new(images, bert, &config, dummy_bos),
            config,
            text_tokenizer,
            generation: read_generation_config(folder)?,
            tokenizer_files: TokenizerFiles::read(folder)?,
        };
        let weights = Checkpoint::open(folder)?.rename(&keys::HUGGING_FACE);
        Ok((parts, CheckpointOverlay::default().with(weights)))
    }

    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn depths(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("vision_config.num_hidden_layers", self.vision_config.num_hidden_layers),
            ("qformer_config.num_hidden_layers", self.qformer_config.num_hidden_layers),
            ("text_config.num_hidden_layers", self.text_config.num_hidden_layers),
        ]
    }

    fn image_size(&self) -> usize {
        self.vision_config.image_size
    }

    fn precisions(&self) -> Precisions {
        self.precisions
    }

    fn set_precisions(&mut self, precisions: Precisions) {
        self.precisions = precisions;
    }

    fn init(&self, device: &Device) -> Network {
        self.init(device)
    }

    fn image_preprocessor(processor: &InstructBlipProcessor) -> &dyn ImagePreprocessor {
        &processor.image_processor
    }

    /// The visual tokens come first, then the prompt with its begin token.
    fn prompt_tokens(parts: &ModelParts<Self>, prompt: &str) -> Result<PromptTokens> {
        Ok(PromptTokens {
            connector: parts.processor.qformer_tokenizer.encode(prompt)?,
            before: Vec::new(),
            after: parts.text_tokenizer.encode(prompt)?,
        })
    }

    fn key_map(&self) -> KeyMap {
        keys::TO_HUGGING_FACE
    }

    /// The configuration with what transformers needs to know what it is.
    fn stored_config(parts: &ModelParts<Self>, dtype: DType) -> serde_json::Result<Value> {
        let (config, text) = (&parts.config, &parts.text_tokenizer);
        let mut stored = serde_json::to_value(config)?;
        stored["architectures"] = json!(["InstructBlipForConditionalGeneration"]);
        stored["model_type"] = json!("instructblip");
        stored["use_decoder_only_language_model"] = json!(true);
        stored["dtype"] = json!(dtype_name(config.precisions, dtype));
        stored["vision_config"]["model_type"] = json!("instructblip_vision_model");
        stored["qformer_config"]["model_type"] = json!("instructblip_qformer");
        // The begin token of the language model's own configuration; prompts begin with the tokenizer's.
        stored["text_config"]["bos_token_id"] = json!(parts.processor.dummy_bos);
        stored["text_config"]["eos_token_id"] = json!(text.eos_id());
        stored["text_config"]["pad_token_id"] = json!(text.pad_id());
        Ok(stored)
    }

    fn stored_processor(parts: &ModelParts<Self>) -> serde_json::Result<(&'static str, Value)> {
        let processor = json!({
            "image_processor": parts.processor.image_processor.config(),
            "num_query_tokens": parts.config.num_query_tokens,
            "processor_class": "InstructBlipProcessor",
        });
        Ok(("processor_config.json", processor))
    }

    /// The rules of transformers 4.28.1, under which texts begin with a token that the model does not see.
    fn upstream_rules(parts: &ModelParts<Self>) -> Option<Rules> {
        Some(Rules::Transformers4_28 { dummy_bos: parts.processor.dummy_bos })
    }
}
