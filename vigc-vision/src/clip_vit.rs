//! CLIP's ViT (<https://arxiv.org/abs/2103.00020>), the image encoder of LLaVA.
//!
//! A pre-norm transformer with a norm before its first layer. LLaVA reads the hidden state before the last layer, so it
//! builds an encoder without that layer. Follows `CLIPVisionModel` of transformers. The modules have the names of the
//! checkpoints.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use vigc_core::nn::{LayerNorm, Linear, LinearConfig, Precision};
use vigc_core::weights::KeyMap;

use crate::blocks::{Mlp, assert_size, attend, embed_patches, split_heads};
use crate::config::{HiddenAct, check_divides, check_patches, check_sizes};
use crate::{Error, Result};

/// The keys of CLIP's own checkpoints, of the whole model or of the image encoder alone.
///
/// Old files also contain `embeddings.position_ids`, which are computed here. Files of the whole model also contain the
/// text encoder and two projections.
pub const HUGGING_FACE_KEYS: KeyMap = KeyMap::new(&[(r"^vision_model\.", "")]);

/// Configuration of a [`ClipVit`], named as `vision_config` of CLIP and LLaVA checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClipVitConfig {
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
    /// Activation of the feed-forward networks.
    pub hidden_act: HiddenAct,
    /// How the weights are stored. Not part of the file.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for ClipVitConfig {
    /// ViT-B/32, whose values transformers uses for missing fields.
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            image_size: 224,
            patch_size: 32,
            layer_norm_eps: 1e-5,
            hidden_act: HiddenAct::QuickGelu,
            precision: Precision::F32,
        }
    }
}

impl ClipVitConfig {
    /// An encoder of a width, with feed-forward networks four times as wide, patches of 14 pixels and the other settings of
    /// ViT-B/32.
    #[must_use]
    pub fn new(hidden_size: usize) -> Self {
        Self { hidden_size, intermediate_size: 4 * hidden_size, patch_size: 14, ..Self::default() }
    }

    /// ViT-L/14 for images of 224 pixels, `openai/clip-vit-large-patch14`.
    #[must_use]
    pub fn vit_l_14() -> Self {
        Self::new(1024).with_num_hidden_layers(24).with_num_attention_heads(16)
    }

    /// ViT-L/14 for images of 336 pixels, `openai/clip-vit-large-patch14-336`.
    #[must_use]
    pub fn vit_l_14_336() -> Self {
        Self::vit_l_14().with_image_size(336)
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

    /// Number of patches of an image.
    #[must_use]
    pub fn num_patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }

    /// The number of layers that compute a hidden state, which transformers numbers from either end: 0 is the input of the
    /// first layer, -1 the output of the last layer, -2 the output of the layer before.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if there is no such state.
    pub fn layers_for(&self, hidden_state: i64) -> Result<usize> {
        let layers = self.num_hidden_layers;
        let counted = match usize::try_from(hidden_state) {
            Ok(counted) => Some(counted),
            Err(_) => usize::try_from(hidden_state.unsigned_abs())
                .ok()
                .and_then(|back| (layers + 1).checked_sub(back)),
        };
        counted.filter(|&counted| counted <= layers).ok_or_else(|| Error::Config {
            field: "vision_feature_layer",
            value: format!("{hidden_state} of {layers} layers"),
            reason: "there is no such hidden state",
        })
    }

    /// Checks the sizes, for [`ClipVitConfig::init`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if heads do not divide the width, an image is smaller than a
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

    fn norm(&self, device: &Device) -> LayerNorm {
        LayerNorm::new(self.hidden_size, self.layer_norm_eps, device)
    }

    /// Initializes a [`ClipVit`] with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> ClipVit {
        let layers = (0..self.num_hidden_layers).map(|_| EncoderLayer::new(self, device));
        ClipVit {
            embeddings: Embeddings::new(self, device),
            pre_layrnorm: self.norm(device),
            encoder: Encoder { layers: layers.collect() },
            post_layernorm: self.norm(device),
        }
    }
}

/// The layers of a [`ClipVit`].
#[derive(Module, Debug)]
struct Encoder {
    layers: Vec<EncoderLayer>,
}

/// CLIP's image encoder.
#[derive(Module, Debug)]
pub struct ClipVit {
    embeddings: Embeddings,
    // Spelled as in the checkpoints.
    pre_layrnorm: LayerNorm,
    encoder: Encoder,
    post_layernorm: LayerNorm,
}

impl ClipVit {
    /// Encodes a batch of normalized images: the output of the last layer, without the final norm.
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
        self.hidden_state(images, self.encoder.layers.len())
    }

    /// The output of the first `layers` layers. The other layers do not run.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, 1 + patches, hidden]`, the class token first
    ///
    /// # Panics
    ///
    /// Panics if the images have another size or the encoder has fewer layers.
    #[must_use]
    pub fn hidden_state(&self, images: Tensor<4>, layers: usize) -> Tensor<3> {
        let x = self.pre_layrnorm.forward(self.embeddings.forward(images));
        self.encoder.layers[..layers].iter().fold(x, |x, layer| layer.forward(x))
    }

    /// The embedding of a whole image: the normalized state of the class token.
    ///
    /// # Shapes
    ///
    /// - states: `[batch, 1 + patches, hidden]`, from [`ClipVit::forward`]
    /// - output: `[batch, hidden]`
    #[must_use]
    pub fn pooled(&self, states: Tensor<3>) -> Tensor<2> {
        self.post_layernorm.forward(states.narrow(1, 0, 1).squeeze_dim::<2>(1))
    }
}

/// Embeds the patches of an image, prepends the class token and adds positions.
#[derive(Module, Debug)]
struct Embeddings {
    class_embedding: Param<Tensor<1>>,
    patch_embedding: Conv2d,
    position_embedding: Embedding,
    image_size: usize,
}

impl Embeddings {
    fn new(config: &ClipVitConfig, device: &Device) -> Self {
        let ClipVitConfig { hidden_size, patch_size, .. } = *config;
        let tokens = Initializer::Normal { mean: 0.0, std: 0.02 };
        Self {
            class_embedding: tokens.init([hidden_size], device),
            patch_embedding: Conv2dConfig::new([3, hidden_size], [patch_size; 2])
                .with_stride([patch_size; 2])
                .with_bias(false)
                .init(device),
            position_embedding: EmbeddingConfig::new(config.num_patches() + 1, hidden_size)
                .with_initializer(tokens)
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
        let class = self.class_embedding.val().reshape([1, 1, hidden]).expand([batch, 1, hidden]);
        Tensor::cat(vec![class, x], 1) + self.position_embedding.weight.val().unsqueeze()
    }
}

/// A layer of a [`ClipVit`]: attention and a feed-forward network, each with a residual.
#[derive(Module, Debug)]
struct EncoderLayer {
    layer_norm1: LayerNorm,
    self_attn: Attention,
    layer_norm2: LayerNorm,
    mlp: Mlp,
}

impl EncoderLayer {
    fn new(config: &ClipVitConfig, device: &Device) -> Self {
        let fc1 = config.linear(config.hidden_size, config.intermediate_size);
        Self {
            layer_norm1: config.norm(device),
            self_attn: Attention::new(config, device),
            layer_norm2: config.norm(device),
            mlp: Mlp::new(&fc1, config.hidden_act, device),
        }
    }

    /// Transforms `x`, `[batch, seq, hidden]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.self_attn.forward(&self.layer_norm1.forward(x));
        x.clone() + self.mlp.forward(self.layer_norm2.forward(x))
    }
}

/// Self-attention with three projections.
#[derive(Module, Debug)]
struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    num_heads: usize,
}

impl Attention {
    fn new(config: &ClipVitConfig, device: &Device) -> Self {
        let linear = || config.linear(config.hidden_size, config.hidden_size).init(device);
        Self {
            q_proj: linear(),
            k_proj: linear(),
            v_proj: linear(),
            out_proj: linear(),
            num_heads: config.num_attention_heads,
        }
    }

    /// Attends over the whole sequence, `[batch, seq, hidden]`.
    fn forward(&self, x: &Tensor<3>) -> Tensor<3> {
        let [q, k, v] = [&self.q_proj, &self.k_proj, &self.v_proj]
            .map(|projection| split_heads(projection.forward(x.clone()), self.num_heads));
        self.out_proj.forward(attend(q, k, v, None, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_hugging_face_configuration() {
        let json = r#"{"hidden_size": 1024, "image_size": 336, "intermediate_size": 4096,
            "model_type": "clip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24,
            "patch_size": 14, "projection_dim": 768, "vocab_size": 32000}"#;
        let config: ClipVitConfig = serde_json::from_str(json).unwrap();
        assert_eq!(config, ClipVitConfig::vit_l_14_336());
        assert_eq!((config.num_patches(), ClipVitConfig::vit_l_14().num_patches()), (576, 256));
        assert!(serde_json::from_str::<ClipVitConfig>(r#"{"hidden_act": "relu"}"#).is_err());
    }

    #[test]
    fn hidden_states_are_counted_from_both_ends() {
        let config = ClipVitConfig::vit_l_14();
        for (state, layers) in [(-2, 23), (-1, 24), (24, 24), (0, 0), (-25, 0), (23, 23)] {
            assert_eq!(config.layers_for(state).unwrap(), layers, "{state}");
        }
        for state in [25, -26, i64::MIN, i64::MAX] {
            let error = config.layers_for(state).unwrap_err().to_string();
            assert!(error.contains(&format!("{state} of 24 layers")), "{error}");
        }
    }

    #[test]
    fn impossible_configurations_are_errors() {
        assert!(
            ClipVitConfig::new(10)
                .with_num_hidden_layers(1)
                .with_num_attention_heads(3)
                .validate()
                .is_err()
        );
        assert!(
            ClipVitConfig::new(8)
                .with_num_hidden_layers(1)
                .with_num_attention_heads(2)
                .with_image_size(13)
                .validate()
                .is_err()
        );
        assert!(ClipVitConfig::vit_l_14_336().validate().is_ok());
        assert!(
            ClipVitConfig::new(8)
                .with_num_hidden_layers(1 << 40)
                .with_num_attention_heads(2)
                .validate()
                .is_err()
        );
    }
}
