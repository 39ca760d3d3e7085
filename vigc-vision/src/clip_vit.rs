//! CLIP's ViT, the image encoder of LLaVA.
//!
//! A pre-norm transformer with a norm before its first layer. LLaVA reads the states of a layer before the last
//! one, so an encoder may be made with no more layers than are read. Mirrors transformers' `CLIPVisionModel`, whose
//! parameter names the modules carry. [CLIP](https://arxiv.org/abs/2103.00020).

mod attention;
mod embeddings;
pub mod keys;
mod layer;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use vigc_core::nn::{LayerNorm, LinearConfig, Precision};

pub use self::attention::Attention;
pub use self::embeddings::Embeddings;
pub use self::layer::EncoderLayer;
use crate::config::{HiddenAct, check_divides, check_patches, check_sizes};
pub use crate::mlp::Mlp;
use crate::{Error, Result};

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
    /// What the weights are stored in; no part of the file.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for ClipVitConfig {
    /// ViT-B/32, which transformers takes for what a file leaves out.
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
    /// An encoder with patches of 14 pixels and feed-forward networks four times as wide as the residual stream.
    #[must_use]
    pub fn new(hidden_size: usize, num_hidden_layers: usize, num_attention_heads: usize) -> Self {
        Self {
            hidden_size,
            intermediate_size: 4 * hidden_size,
            num_hidden_layers,
            num_attention_heads,
            patch_size: 14,
            ..Self::default()
        }
    }

    /// ViT-L/14 for images of 224 pixels, `openai/clip-vit-large-patch14`.
    #[must_use]
    pub fn vit_l_14() -> Self {
        Self::new(1024, 24, 16)
    }

    /// ViT-L/14 for images of 336 pixels, `openai/clip-vit-large-patch14-336`.
    #[must_use]
    pub fn vit_l_14_336() -> Self {
        Self::vit_l_14().with_image_size(336)
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

    /// The number of layers that have to run for a hidden state, counted as transformers does: 0 is what the first
    /// layer reads, -1 the last layer's output, -2 that of the layer before.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if there is no such state.
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

    /// Checks what [`ClipVitConfig::init`] relies on.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if heads do not divide the width, an image is smaller than a
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
pub struct Encoder {
    layers: Vec<EncoderLayer>,
}

/// CLIP's image encoder.
#[derive(Module, Debug)]
pub struct ClipVit {
    embeddings: Embeddings,
    // The checkpoints' spelling.
    pre_layrnorm: LayerNorm,
    encoder: Encoder,
    post_layernorm: LayerNorm,
}

impl ClipVit {
    /// Encodes a batch of normalized images: the states behind all layers, not normalized.
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
        self.states(images, self.encoder.layers.len())
    }

    /// The states behind the first `layers` layers; no others run.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, 1 + patches, hidden]`, the class token first
    ///
    /// # Panics
    ///
    /// Panics if the images have another size or there are fewer layers.
    #[must_use]
    pub fn states(&self, images: Tensor<4>, layers: usize) -> Tensor<3> {
        let x = self.pre_layrnorm.forward(self.embeddings.forward(images));
        self.encoder.layers[..layers].iter().fold(x, |x, layer| layer.forward(x))
    }

    /// What the whole encoder says of an image in one row: the class token, normalized.
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
    fn rejects_what_cannot_be_built() {
        assert!(ClipVitConfig::new(10, 1, 3).validate().is_err());
        assert!(ClipVitConfig::new(8, 1, 2).with_image_size(13).validate().is_err());
        assert!(ClipVitConfig::vit_l_14_336().validate().is_ok());
        assert!(ClipVitConfig::new(8, 1 << 40, 2).validate().is_err());
    }
}
