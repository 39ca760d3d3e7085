//! The image encoder and the connector of InstructBLIP.
//!
//! Mirrors LAVIS' `blip2_vicuna_instruct.py` and transformers' `InstructBlipForConditionalGeneration`
//! (<https://arxiv.org/abs/2305.06500>).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use vigc_core::TokenBatch;
use vigc_core::nn::{LayerNorm, Linear};
use vigc_vision::eva_vit::EvaVit;
use vigc_vision::qformer::{ImageKeyValues, QFormer};

use crate::model::{self, Connector, ImageBatch, ImageEncoder, VisualTokens};

/// The network of InstructBLIP.
pub type Network = model::Network<EvaEncoder, QFormerConnector>;

/// EVA ViT and the norm after it, always frozen.
#[derive(Module, Debug)]
pub struct EvaEncoder {
    /// The image encoder.
    pub vision_model: EvaVit,
    /// The norm after the image encoder.
    pub ln_vision: LayerNorm,
}

impl ImageEncoder for EvaEncoder {
    fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        self.ln_vision.forward(self.vision_model.forward(pixel_values))
    }
}

/// The Q-Former with its queries, and the projection to the language model: the parts that InstructBLIP and VIGC train.
#[derive(Module, Debug)]
pub struct QFormerConnector {
    /// What the Q-Former starts from, `[1, queries, qformer_hidden]`.
    pub query_tokens: Param<Tensor<3>>,
    /// Reads the image in the light of the prompt.
    pub qformer: QFormer,
    /// From the Q-Former's width to the language model's.
    pub language_projection: Linear,
}

impl QFormerConnector {
    /// Asks the Q-Former about images, each with its own text.
    ///
    /// # Shapes
    ///
    /// - images: `batch` of them
    /// - text: `[batch, seq]`, the prompts in the Q-Former's own vocabulary
    /// - output: `[batch, queries, qformer_hidden]`
    #[must_use]
    pub fn query_output(&self, images: &EncodedImages, text: &TokenBatch) -> Tensor<3> {
        self.qformer.forward(self.query_tokens.val(), Some(text), &images.key_values)
    }
}

impl Connector for QFormerConnector {
    type Images = EncodedImages;

    fn connect(&self, features: Tensor<3>) -> EncodedImages {
        let [len, ..] = features.dims();
        EncodedImages { key_values: self.qformer.image_key_values(features), len }
    }

    fn visual_tokens(&self, images: &EncodedImages, text: &TokenBatch) -> VisualTokens {
        self.language_projection.forward(self.query_output(images, text)).into()
    }
}

/// Images as the Q-Former reads them: the keys and values of its cross-attentions, which every prompt about them shares.
#[derive(Debug, Clone)]
pub struct EncodedImages {
    key_values: ImageKeyValues,
    len: usize,
}

impl ImageBatch for EncodedImages {
    fn len(&self) -> usize {
        self.len
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self { key_values: self.key_values.select(rows), len: rows.len() }
    }

    fn cat(parts: Vec<Self>) -> Self {
        let len = parts.iter().map(Self::len).sum();
        let parts = parts.into_iter().map(|part| part.key_values);
        Self { key_values: ImageKeyValues::cat(parts.collect()), len }
    }
}
