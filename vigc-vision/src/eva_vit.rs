//! EVA-CLIP ViT-g (<https://arxiv.org/abs/2211.07636>), the frozen image encoder of BLIP-2 and InstructBLIP.
//!
//! A pre-norm transformer without a final norm: the composed model applies its own to the output (`ln_vision`, or
//! `post_layernorm` in Hugging Face checkpoints). Follows `models/eva_vit.py` of LAVIS and `InstructBlipVisionModel` of
//! transformers. The modules have the names of the checkpoints.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use vigc_core::kernels::self_attention;
use vigc_core::nn::{LayerNorm, Linear, LinearConfig, Precision};
use vigc_core::weights::KeyMap;

use crate::Result;
use crate::blocks::{Mlp, assert_size, embed_patches};
use crate::config::{HiddenAct, check_divides, check_patches, check_sizes};

/// The keys of Hugging Face checkpoints below `vision_model`.
///
/// `post_layernorm` of such checkpoints is the norm of the composed model.
pub const HUGGING_FACE_KEYS: KeyMap = KeyMap::IDENTITY;

/// Configuration of an [`EvaVit`], named as `vision_config` of InstructBLIP checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaVitConfig {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward networks.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Side of the square input image, in pixels.
    pub image_size: usize,
    /// Side of a square patch, in pixels.
    pub patch_size: usize,
    /// Added to the variance in the norms.
    pub layer_norm_eps: f64,
    /// Whether queries and values have a bias.
    pub qkv_bias: bool,
    /// Activation of the feed-forward networks.
    pub hidden_act: HiddenAct,
    /// How the weights are stored. Not part of the file.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for EvaVitConfig {
    /// The encoder of BLIP-2, with 1.0 billion parameters.
    fn default() -> Self {
        Self {
            hidden_size: 1408,
            intermediate_size: 6144,
            num_hidden_layers: 39,
            num_attention_heads: 16,
            image_size: 224,
            patch_size: 14,
            layer_norm_eps: 1e-6,
            qkv_bias: true,
            hidden_act: HiddenAct::Gelu,
            precision: Precision::F32,
        }
    }
}

impl EvaVitConfig {
    /// An encoder of a width, with feed-forward networks four times as wide and the other settings of BLIP-2's encoder.
    #[must_use]
    pub fn new(hidden_size: usize) -> Self {
        Self { hidden_size, intermediate_size: 4 * hidden_size, ..Self::default() }
    }

    /// Sets the number of layers.
    #[must_use]
    pub fn with_num_hidden_layers(mut self, num_hidden_layers: usize) -> Self {
        self.num_hidden_layers = num_hidden_layers;
        self
    }

    /// Sets the number of attention heads.
    #[must_use]
    pub fn with_num_attention_heads(mut self, num_attention_heads: usize) -> Self {
        self.num_attention_heads = num_attention_heads;
        self
    }

    /// Sets the side of the input image.
    #[must_use]
    pub fn with_image_size(mut self, image_size: usize) -> Self {
        self.image_size = image_size;
        self
    }

    /// Sets the width of the feed-forward networks.
    #[must_use]
    pub fn with_intermediate_size(mut self, intermediate_size: usize) -> Self {
        self.intermediate_size = intermediate_size;
        self
    }

    /// Length of the output: one position for each patch and one for the class token.
    #[must_use]
    pub fn num_positions(&self) -> usize {
        (self.image_size / self.patch_size).pow(2) + 1
    }

    /// Checks the sizes, for [`EvaVitConfig::init`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) if heads do not divide the width, an image is smaller than a
    /// patch or a size is above [`MAX_SIZE`](vigc_core::nn::MAX_SIZE).
    pub fn validate(&self) -> Result<()> {
        check_divides("hidden_size", self.hidden_size, self.num_attention_heads)?;
        check_patches(self.patch_size, self.image_size)?;
        check_sizes(&[
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("image_size", self.image_size),
        ])
    }

    fn linear(&self, d_input: usize, d_output: usize) -> LinearConfig {
        LinearConfig::new(d_input, d_output).with_precision(self.precision)
    }

    /// Initializes an [`EvaVit`] with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> EvaVit {
        let layers = (0..self.num_hidden_layers).map(|_| EncoderLayer::new(self, device));
        EvaVit {
            embeddings: Embeddings::new(self, device),
            encoder: Encoder { layers: layers.collect() },
        }
    }
}

/// The layers of an [`EvaVit`].
#[derive(Module, Debug)]
struct Encoder {
    layers: Vec<EncoderLayer>,
}

/// EVA-CLIP ViT-g without its classification head and final norm.
#[derive(Module, Debug)]
pub struct EvaVit {
    embeddings: Embeddings,
    encoder: Encoder,
}

impl EvaVit {
    /// Encodes a batch of normalized images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, 1 + patches, hidden]`, the class token first
    ///
    /// # Panics
    ///
    /// Panics if the images have another size.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<3> {
        let x = self.embeddings.forward(images);
        self.encoder.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

/// Embeds the patches of an image, prepends the class token and adds positions.
#[derive(Module, Debug)]
struct Embeddings {
    class_embedding: Param<Tensor<3>>,
    position_embedding: Param<Tensor<3>>,
    patch_embedding: Conv2d,
    image_size: usize,
}

impl Embeddings {
    fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let EvaVitConfig { hidden_size, patch_size, .. } = *config;
        let tokens = Initializer::Normal { mean: 0.0, std: 0.02 };
        Self {
            class_embedding: tokens.init([1, 1, hidden_size], device),
            position_embedding: tokens.init([1, config.num_positions(), hidden_size], device),
            patch_embedding: Conv2dConfig::new([3, hidden_size], [patch_size; 2])
                .with_stride([patch_size; 2])
                .init(device),
            image_size: config.image_size,
        }
    }

    /// Embeds a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, 1 + patches, hidden]`, the class token first
    ///
    /// # Panics
    ///
    /// Panics if the images have another size.
    fn forward(&self, images: Tensor<4>) -> Tensor<3> {
        assert_size(&images, self.image_size);
        let x = embed_patches(&self.patch_embedding, images);
        let [batch, _, hidden] = x.dims();
        let class = self.class_embedding.val().expand([batch, 1, hidden]);
        Tensor::cat(vec![class, x], 1) + self.position_embedding.val()
    }
}

/// A layer of an [`EvaVit`]: attention and a feed-forward network, each with a residual.
#[derive(Module, Debug)]
struct EncoderLayer {
    layer_norm1: LayerNorm,
    self_attn: Attention,
    layer_norm2: LayerNorm,
    mlp: Mlp,
}

impl EncoderLayer {
    fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let EvaVitConfig { hidden_size, intermediate_size, .. } = *config;
        let norm = || LayerNorm::new(hidden_size, config.layer_norm_eps, device);
        Self {
            layer_norm1: norm(),
            self_attn: Attention::new(config, device),
            layer_norm2: norm(),
            mlp: Mlp::new(
                &config.linear(hidden_size, intermediate_size),
                config.hidden_act,
                device,
            ),
        }
    }

    /// Transforms `x`, `[batch, seq, hidden]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.self_attn.forward(self.layer_norm1.forward(x));
        x.clone() + self.mlp.forward(self.layer_norm2.forward(x))
    }
}

/// Self-attention with one fused projection.
#[derive(Module, Debug)]
struct Attention {
    qkv: Linear,
    projection: Linear,
    num_heads: usize,
}

impl Attention {
    fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            qkv: config.linear(hidden, 3 * hidden).with_bias(config.qkv_bias).init(device),
            projection: config.linear(hidden, hidden).init(device),
            num_heads: config.num_attention_heads,
        }
    }

    /// Attends over the whole sequence, `[batch, seq, hidden]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, seq, hidden] = x.dims();
        let head_dim = hidden / self.num_heads;
        let qkv = self.qkv.forward(x).reshape([batch, seq, 3, self.num_heads, head_dim]);
        let context = self_attention(qkv, (head_dim as f64).powf(-0.5));
        self.projection.forward(context.reshape([batch, seq, hidden]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_hugging_face_configuration() {
        let json = r#"{"attention_dropout": 0.0, "hidden_act": "gelu", "hidden_size": 64,
            "image_size": 112, "model_type": "instructblip_vision_model", "num_attention_heads": 4}"#;
        let config: EvaVitConfig = serde_json::from_str(json).unwrap();
        assert_eq!((config.hidden_size, config.num_hidden_layers), (64, 39));
        assert_eq!(config.num_positions(), 65);
        let error = serde_json::from_str::<EvaVitConfig>(r#"{"hidden_act": "relu"}"#).unwrap_err();
        assert!(error.to_string().contains("relu"), "{error}");
    }

    #[test]
    fn impossible_configurations_are_errors() {
        let uneven = EvaVitConfig::new(10)
            .with_num_hidden_layers(1)
            .with_num_attention_heads(3)
            .validate()
            .unwrap_err();
        assert_eq!(uneven.to_string(), "hidden_size = 10 over 3: must be a positive multiple");
        assert!(
            EvaVitConfig::new(8)
                .with_num_hidden_layers(1)
                .with_num_attention_heads(2)
                .with_image_size(13)
                .validate()
                .is_err()
        );
        assert!(EvaVitConfig::default().validate().is_ok());
        let huge = EvaVitConfig::new(8)
            .with_num_hidden_layers(1)
            .with_num_attention_heads(2)
            .with_image_size(1 << 62)
            .validate()
            .unwrap_err();
        assert!(huge.to_string().starts_with("image_size = 4611686018427387904"), "{huge}");
    }
}
