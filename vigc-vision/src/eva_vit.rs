//! EVA-CLIP ViT-g, the frozen image encoder of BLIP-2 and `InstructBLIP`.
//!
//! A plain pre-norm transformer without a final norm: the composed model applies its own
//! (`ln_vision`, or `post_layernorm` in Hugging Face checkpoints) to the output. Mirrors LAVIS'
//! `models/eva_vit.py` and transformers' `InstructBlipVisionModel`, whose parameter names the
//! modules carry. [EVA](https://arxiv.org/abs/2211.07636).

mod attention;
mod embeddings;
pub mod keys;
mod layer;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use vigc_core::nn::{LinearConfig, Precision};

pub use self::attention::Attention;
pub use self::embeddings::Embeddings;
pub use self::layer::EncoderLayer;
use crate::Result;
use crate::config::{HiddenAct, check_divides, check_patches, check_sizes};
pub use crate::mlp::Mlp;

/// Configuration of an [`EvaVit`], named as `vision_config` of `InstructBLIP` checkpoints.
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
    /// Added to the variance in the layers' norms.
    pub layer_norm_eps: f64,
    /// Whether queries and values have a bias.
    pub qkv_bias: bool,
    /// Activation of the feed-forward networks.
    pub hidden_act: HiddenAct,
    /// What the weights are stored in; no part of the file.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for EvaVitConfig {
    /// The 1.0-billion-parameter encoder that BLIP-2 uses.
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
    /// An encoder with feed-forward networks four times as wide as the residual stream.
    #[must_use]
    pub fn new(hidden_size: usize, num_hidden_layers: usize, num_attention_heads: usize) -> Self {
        Self {
            hidden_size,
            intermediate_size: 4 * hidden_size,
            num_hidden_layers,
            num_attention_heads,
            ..Self::default()
        }
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

    /// Number of output rows: one for each patch and one for the class token.
    #[must_use]
    pub fn num_positions(&self) -> usize {
        (self.image_size / self.patch_size).pow(2) + 1
    }

    /// Checks what [`EvaVitConfig::init`] relies on.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`](crate::Error::Config) if heads do not divide the width, an image is smaller than a
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
pub struct Encoder {
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
    fn rejects_what_cannot_be_built() {
        let uneven = EvaVitConfig::new(10, 1, 3).validate().unwrap_err();
        assert_eq!(uneven.to_string(), "hidden_size = 10 over 3: must be a positive multiple");
        assert!(EvaVitConfig::new(8, 1, 2).with_image_size(13).validate().is_err());
        assert!(EvaVitConfig::default().validate().is_ok());
        let huge = EvaVitConfig::new(8, 1, 2).with_image_size(1 << 62).validate().unwrap_err();
        assert!(huge.to_string().starts_with("image_size = 4611686018427387904"), "{huge}");
    }
}
