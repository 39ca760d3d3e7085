//! The network: image encoder, Q-Former, projection and language model, without tokenizers.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use vigc_core::TokenBatch;
use vigc_core::nn::{LayerNorm, Linear, LinearConfig};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_vision::eva_vit::{EvaVit, EvaVitConfig};
use vigc_vision::qformer::{ImageKeyValues, QFormer, QFormerConfig};

use super::{InstructBlipConfig, Precisions};

/// The network of InstructBLIP (<https://arxiv.org/abs/2305.06500>).
///
/// Mirrors LAVIS' `blip2_vicuna_instruct.py` and transformers' `InstructBlipForConditionalGeneration`.
/// The parts are public because training freezes some and tunes others.
#[derive(Module, Debug)]
pub struct Network {
    /// The image encoder, always frozen.
    pub vision_model: EvaVit,
    /// The norm after the image encoder.
    pub ln_vision: LayerNorm,
    /// What the Q-Former starts from, `[1, queries, qformer_hidden]`.
    pub query_tokens: Param<Tensor<3>>,
    /// Reads the image in the light of the prompt.
    pub qformer: QFormer,
    /// From the Q-Former's width to the language model's.
    pub language_projection: Linear,
    /// Writes the text, always frozen.
    pub language_model: Llama,
}

impl Network {
    pub(super) fn new(config: &InstructBlipConfig, device: &Device) -> Self {
        let Precisions { vision, qformer, language } = config.precisions;
        let vision = EvaVitConfig { precision: vision, ..config.vision_config.clone() };
        let qformer = QFormerConfig { precision: qformer, ..config.qformer_config.clone() };
        let language = LlamaConfig { precision: language, ..config.text_config.clone() };
        let normal = Initializer::Normal { mean: 0.0, std: qformer.initializer_range };
        Self {
            vision_model: vision.init(device),
            ln_vision: LayerNorm::new(vision.hidden_size, config.ln_vision_eps(), device),
            query_tokens: normal.init([1, config.num_query_tokens, qformer.hidden_size], device),
            qformer: qformer.init(device),
            language_projection: LinearConfig::new(qformer.hidden_size, language.hidden_size)
                .with_precision(qformer.precision)
                .init(device),
            language_model: language.init(device),
        }
    }

    /// Encodes normalized images to what the Q-Former attends to.
    ///
    /// # Shapes
    ///
    /// - pixel values: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, 1 + patches, vision_hidden]`
    #[must_use]
    pub fn image_embeds(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        self.ln_vision.forward(self.vision_model.forward(pixel_values))
    }

    /// Asks the Q-Former about images, each with its own text.
    ///
    /// # Shapes
    ///
    /// - text: `[batch, seq]`
    /// - images: `batch` of them
    /// - output: `[batch, queries, qformer_hidden]`
    #[must_use]
    pub fn query_output(&self, text: &TokenBatch, images: &ImageKeyValues) -> Tensor<3> {
        self.qformer.forward(self.query_tokens.val(), Some(text), images)
    }

    /// The visual tokens that stand in front of the language model's prompt.
    ///
    /// # Shapes
    ///
    /// - text: `[batch, seq]`, the prompt in the Q-Former's own vocabulary
    /// - images: `batch` of them
    /// - output: `[batch, queries, text_hidden]`
    #[must_use]
    pub fn language_inputs(&self, text: &TokenBatch, images: &ImageKeyValues) -> Tensor<3> {
        self.language_projection.forward(self.query_output(text, images))
    }
}
