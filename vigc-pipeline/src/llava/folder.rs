//! LLaVA as an architecture: its folders, in either layout, and its prompts.

use std::path::Path;

use burn::tensor::{DType, Device};
use serde_json::{Value, json};
use vigc_core::weights::{CheckpointOverlay, KeyMap};
use vigc_vision::image::{ClipImageProcessor, ClipImageProcessorConfig};

use super::Llava;
use super::config::{Layout, LlavaConfig};
use super::files::LlavaFiles;
use super::keys;
use super::network::{ClipEncoder, Network, Projector};
use super::template::{IMAGE, Template, tokenize_around_image};
use crate::Result;
use crate::model::{
    Architecture, ImagePreprocessor, ModelParts, Padding, Precisions, PromptTokens, dtype_name,
};

impl Architecture for LlavaConfig {
    type ImageEncoder = ClipEncoder;
    type Connector = Projector;
    type Processor = ClipImageProcessor;

    const MODEL_TYPES: &'static [&'static str] = &["llava", "llava_llama"];
    const PADDING: Padding = Padding::Left;
    const MAX_TRAINED_PROMPT: usize = usize::MAX;
    const MAX_TRAINED_ANSWER: usize = 256;

    /// Reads either layout. The folders of the original program have the image encoder elsewhere; [`LlavaFiles`] names it.
    fn open(folder: &Path) -> Result<(ModelParts<Self>, CheckpointOverlay)> {
        LlavaFiles::new(folder).open()
    }

    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn depths(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("vision_config.num_hidden_layers", self.vision_config.num_hidden_layers),
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

    fn image_preprocessor(processor: &ClipImageProcessor) -> &dyn ImagePreprocessor {
        processor
    }

    /// The question becomes a prompt by the template, and the visual tokens stand for its `<image>`.
    fn prompt_tokens(parts: &ModelParts<Self>, prompt: &str) -> Result<PromptTokens> {
        let config = &parts.config;
        let prompt = config.template.prompt(prompt, &config.image_text());
        tokenize_around_image(&parts.text_tokenizer, &prompt, config.image_token_index())
    }

    /// The names of the layout that the model was read in.
    fn key_map(&self) -> KeyMap {
        keys::of(&self.layout, self.projector)
    }

    /// The configuration with what the tokenizer and the image processor know.
    fn stored_config(parts: &ModelParts<Self>, dtype: DType) -> serde_json::Result<Value> {
        let (config, text) = (&parts.config, &parts.text_tokenizer);
        let mut file = config.to_json()?;
        file["dtype"] = json!(dtype_name(config.precisions, dtype));
        let ids = match config.layout {
            Layout::HuggingFace { .. } => &mut file["text_config"],
            Layout::Original { .. } => {
                let pads = parts.processor.config().do_pad;
                file["image_aspect_ratio"] = json!(if pads { "pad" } else { "square" });
                &mut file
            }
        };
        ids["bos_token_id"] = json!(text.bos_id());
        ids["eos_token_id"] = json!(text.eos_id());
        ids["pad_token_id"] = json!(text.pad_id());
        Ok(file)
    }

    fn stored_processor(parts: &ModelParts<Self>) -> serde_json::Result<(&'static str, Value)> {
        let (config, images) = (&parts.config, parts.processor.config());
        if matches!(config.layout, Layout::Original { .. }) {
            return Ok(("preprocessor_config.json", serde_json::to_value(images)?));
        }
        let processor = json!({
            "image_processor": images,
            "image_token": IMAGE,
            // The class token.
            "num_additional_image_tokens": 1,
            "patch_size": config.vision_config.patch_size,
            "processor_class": "LlavaProcessor",
            "vision_feature_select_strategy": config.vision_feature_select_strategy,
        });
        Ok(("processor_config.json", processor))
    }
}

impl Llava {
    /// Sets how questions become prompts, which the folders of other programs do not say.
    #[must_use]
    pub fn with_template(mut self, template: Template) -> Self {
        self.config_mut().template = template;
        self
    }
}

/// The image processor of an encoder that looks at `side` pixels, as LLaVA 1.5 has it.
///
/// # Errors
///
/// [`Error::Vision`](crate::Error::Vision) if the size makes no sense.
pub fn square_processor(side: usize) -> Result<ClipImageProcessor> {
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    Ok(ClipImageProcessor::new(ClipImageProcessorConfig::square(side))?)
}
