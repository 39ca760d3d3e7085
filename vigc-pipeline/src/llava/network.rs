//! The image encoder and the connector of LLaVA.
//!
//! Mirrors `llava_arch.py` and transformers' `LlavaForConditionalGeneration` (<https://arxiv.org/abs/2310.03744>).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use vigc_core::TokenBatch;
use vigc_core::kernels::gelu;
use vigc_core::nn::{Linear, LinearConfig, Precision};
use vigc_vision::clip_vit::ClipVit;

use crate::model::{self, Connector, ImageBatch, ImageEncoder, VisualTokens};

/// The network of LLaVA.
pub type Network = model::Network<ClipEncoder, Projector>;

/// The part of an image encoder's states that the projector reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureSelect {
    /// The patches, without the class token; `patch` in original files.
    #[default]
    #[serde(alias = "patch")]
    Default,
    /// All of them; `cls_patch` in original files.
    #[serde(alias = "cls_patch")]
    Full,
}

/// CLIP's image encoder without the layers behind the one that is read.
#[derive(Module, Debug)]
pub struct ClipEncoder {
    /// The image encoder.
    pub vision_tower: ClipVit,
    #[module(skip)]
    feature_select: FeatureSelect,
}

impl ClipEncoder {
    /// An encoder of which a part of the states is taken.
    #[must_use]
    pub fn new(vision_tower: ClipVit, feature_select: FeatureSelect) -> Self {
        Self { vision_tower, feature_select }
    }
}

impl ImageEncoder for ClipEncoder {
    fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let states = self.vision_tower.forward(pixel_values);
        let [_, positions, _] = states.dims();
        match self.feature_select {
            FeatureSelect::Default => states.narrow(1, 1, positions - 1),
            FeatureSelect::Full => states,
        }
    }
}

/// The kinds of projectors, named as `mm_projector_type` of the original program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProjectorKind {
    /// One linear layer, as the first LLaVA has it.
    #[default]
    #[serde(rename = "linear")]
    Linear,
    /// Two linear layers with a GELU between them, as LLaVA 1.5 has them.
    #[serde(rename = "mlp2x_gelu")]
    Mlp2xGelu,
}

/// Makes a visual token of each patch. Its layers have Hugging Face's names; a linear projector has only the first.
#[derive(Module, Debug)]
pub struct Projector {
    linear_1: Linear,
    linear_2: Option<Linear>,
}

impl Projector {
    pub(super) fn new(
        kind: ProjectorKind,
        [vision, text]: [usize; 2],
        precision: Precision,
        device: &Device,
    ) -> Self {
        let linear = |input| LinearConfig::new(input, text).with_precision(precision).init(device);
        Self {
            linear_1: linear(vision),
            linear_2: (kind == ProjectorKind::Mlp2xGelu).then(|| linear(text)),
        }
    }

    /// Projects each row.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, tokens, vision_hidden]`
    /// - output: `[batch, tokens, text_hidden]`
    #[must_use]
    pub fn forward(&self, features: Tensor<3>) -> Tensor<3> {
        let x = self.linear_1.forward(features);
        match &self.linear_2 {
            Some(second) => second.forward(gelu(x)),
            None => x,
        }
    }
}

impl Connector for Projector {
    type Images = ProjectedImages;

    fn connect(&self, features: Tensor<3>) -> ProjectedImages {
        ProjectedImages(self.forward(features))
    }

    fn visual_tokens(&self, images: &ProjectedImages, _: &TokenBatch) -> VisualTokens {
        images.0.clone().into()
    }
}

/// Images as the language model reads them, `[batch, tokens, text_hidden]`.
#[derive(Debug, Clone)]
pub struct ProjectedImages(Tensor<3>);

impl ImageBatch for ProjectedImages {
    fn len(&self) -> usize {
        self.0.dims()[0]
    }

    fn select(&self, rows: &[usize]) -> Self {
        if rows.iter().copied().eq(0..self.len()) {
            return self.clone();
        }
        let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let count = rows.len();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &self.0.device());
        Self(self.0.clone().select(0, rows))
    }

    fn cat(parts: Vec<Self>) -> Self {
        Self(Tensor::cat(parts.into_iter().map(|part| part.0).collect(), 0))
    }
}
