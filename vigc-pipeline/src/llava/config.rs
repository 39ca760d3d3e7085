//! `config.json` of a LLaVA folder.

use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;
use vigc_llm::llama::LlamaConfig;
use vigc_vision::clip_vit::ClipVitConfig;

use super::network::{ClipEncoder, FeatureSelect, Network, Projector, ProjectorKind};
use super::template::{IMAGE, Template};
use crate::model::Precisions;
use crate::{Error, Result};

/// Configuration of a LLaVA network.
///
/// Reads Hugging Face's `LlavaConfig` and the original program's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct LlavaConfig {
    /// The image encoder. It has as many layers as are read: a file's -2 of 24 layers is 23 of them.
    pub vision_config: ClipVitConfig,
    /// The language model.
    pub text_config: LlamaConfig,
    /// What makes tokens of patches.
    pub projector: ProjectorKind,
    /// What is taken of the encoder's states.
    pub vision_feature_select_strategy: FeatureSelect,
    /// Whose names the folder has.
    pub layout: Layout,
    /// How a question becomes a prompt.
    pub template: Template,
    /// What the weights are stored in; in a file only where they are in blocks.
    pub precisions: Precisions,
}

/// Whose names a folder has, and what only they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// transformers' `LlavaForConditionalGeneration`.
    HuggingFace {
        /// The token that stands for a visual token in transformers' prompts; never embedded here.
        image_token_index: u32,
    },
    /// `LlavaLlamaForCausalLM` of the original program, where `<image>` is no token.
    Original {
        /// The name of the image encoder's repository.
        vision_tower: String,
        /// Whether the image stands between `<im_start>` and `<im_end>`.
        image_marks: bool,
    },
}

impl LlavaConfig {
    /// Puts two networks together with an MLP between them, in Hugging Face's layout.
    #[must_use]
    pub fn new(vision: ClipVitConfig, text: LlamaConfig, image_token_index: u32) -> Self {
        Self {
            vision_config: vision,
            text_config: text,
            projector: ProjectorKind::Mlp2xGelu,
            vision_feature_select_strategy: FeatureSelect::Default,
            layout: Layout::HuggingFace { image_token_index },
            template: Template::default(),
            precisions: Precisions::default(),
        }
    }

    /// LLaVA 1.5 around Vicuna 7B v1.5, as `llava-hf/llava-1.5-7b-hf` has it.
    #[must_use]
    pub fn llava_1_5_7b() -> Self {
        Self::llava_1_5(LlamaConfig::vicuna_7b().with_vocab_size(32_064))
    }

    /// LLaVA 1.5 around Vicuna 13B v1.5, as `llava-hf/llava-1.5-13b-hf` has it.
    #[must_use]
    pub fn llava_1_5_13b() -> Self {
        Self::llava_1_5(LlamaConfig::vicuna_13b().with_vocab_size(32_064))
    }

    fn llava_1_5(vicuna: LlamaConfig) -> Self {
        let text = LlamaConfig { rms_norm_eps: 1e-5, ..vicuna.with_max_position_embeddings(4096) };
        let vision = ClipVitConfig { num_hidden_layers: 23, ..ClipVitConfig::vit_l_14_336() };
        Self::new(vision, text, 32_000)
    }

    /// Number of visual tokens that the language model sees of an image.
    #[must_use]
    pub fn num_image_tokens(&self) -> usize {
        match self.vision_feature_select_strategy {
            FeatureSelect::Default => self.vision_config.num_patches(),
            FeatureSelect::Full => self.vision_config.num_patches() + 1,
        }
    }

    /// Whether `<image>` stands for the image in a prompt, or between marks of its beginning and end.
    pub(super) fn image_text(&self) -> String {
        match self.layout {
            Layout::Original { image_marks: true, .. } => format!("<im_start>{IMAGE}<im_end>"),
            _ => IMAGE.to_owned(),
        }
    }

    /// The token of the image in the tokenizer, if the layout has one.
    pub(super) fn image_token_index(&self) -> Option<u32> {
        match self.layout {
            Layout::HuggingFace { image_token_index } => Some(image_token_index),
            Layout::Original { .. } => None,
        }
    }

    /// Checks what [`LlavaConfig::init`] relies on.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the parts do not fit each other, [`Error::Vision`] if one does not fit
    /// itself.
    pub fn validate(&self) -> Result<()> {
        self.vision_config.validate()?;
        let words = self.text_config.vocab_size;
        let Layout::HuggingFace { image_token_index } = self.layout else { return Ok(()) };
        if usize::try_from(image_token_index).is_ok_and(|index| index >= words) {
            let problem = format!("is {image_token_index}, expected a token below {words}");
            return Err(Error::Config { field: "image_token_index", problem });
        }
        if self.projector == ProjectorKind::Linear {
            let problem = "is linear, expected mlp2x_gelu in Hugging Face's layout".to_owned();
            return Err(Error::Config { field: "mm_projector_type", problem });
        }
        Ok(())
    }

    /// Initializes a [`Network`] with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> Network {
        let Precisions { vision, connector, language } = self.precisions;
        let vision = ClipVitConfig { precision: vision, ..self.vision_config.clone() };
        let language = LlamaConfig { precision: language, ..self.text_config.clone() };
        let widths = [vision.hidden_size, language.hidden_size];
        let select = self.vision_feature_select_strategy;
        Network {
            image_encoder: ClipEncoder::new(vision.init(device), select),
            connector: Projector::new(self.projector, widths, connector, device),
            language_model: language.init(device),
        }
    }
}

/// The encoder with no more layers than a hidden state needs.
pub(super) fn shortened(
    vision: &ClipVitConfig,
    hidden_state: i64,
) -> Result<ClipVitConfig, String> {
    let num_hidden_layers = vision.layers_for(hidden_state).map_err(|error| error.to_string())?;
    Ok(ClipVitConfig { num_hidden_layers, ..vision.clone() })
}
