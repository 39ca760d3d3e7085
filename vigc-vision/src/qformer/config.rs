//! The configuration of a Q-Former, read from and written as Hugging Face's `qformer_config`.

use burn::nn::Initializer;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use vigc_core::nn::{Linear, LinearConfig, Precision};

use crate::config::{HiddenAct, check_divides, check_sizes};
use crate::{Error, Result};

/// Configuration of a [`QFormer`](super::QFormer), named as `qformer_config` of InstructBLIP checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QFormerConfig {
    /// Number of tokens in the vocabulary of the text.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads.
    pub num_attention_heads: usize,
    /// Width of the feed-forward networks.
    pub intermediate_size: usize,
    /// Activation of the feed-forward networks.
    pub hidden_act: HiddenAct,
    /// Dropout probability of embeddings and of each sublayer's output, in training.
    pub hidden_dropout_prob: f64,
    /// Dropout probability of attention weights, in training.
    pub attention_probs_dropout_prob: f64,
    /// Longest text, in tokens.
    pub max_position_embeddings: usize,
    /// Standard deviation of initial weights.
    pub initializer_range: f64,
    /// Added to the variance in norms.
    pub layer_norm_eps: f64,
    /// Distance between layers with cross-attention. The first layer has one.
    pub cross_attention_frequency: usize,
    /// Width of the image's tokens.
    pub encoder_hidden_size: usize,
    /// How the weights are stored. Not part of the file.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for QFormerConfig {
    /// The Q-Former of BLIP-2 and InstructBLIP: BERT-base with cross-attention to ViT-g.
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: HiddenAct::Gelu,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            max_position_embeddings: 512,
            initializer_range: 0.02,
            layer_norm_eps: 1e-12,
            cross_attention_frequency: 2,
            encoder_hidden_size: 1408,
            precision: Precision::F32,
        }
    }
}

impl QFormerConfig {
    /// A Q-Former of a width, with feed-forward networks four times as wide and the other settings of BLIP-2.
    #[must_use]
    pub fn new(hidden_size: usize) -> Self {
        Self { hidden_size, intermediate_size: 4 * hidden_size, ..Self::default() }
    }

    /// Sets the number of tokens in the vocabulary of the text.
    #[must_use]
    pub fn with_vocab_size(mut self, vocab_size: usize) -> Self {
        self.vocab_size = vocab_size;
        self
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

    /// Sets the width of the image's tokens.
    #[must_use]
    pub fn with_encoder_hidden_size(mut self, encoder_hidden_size: usize) -> Self {
        self.encoder_hidden_size = encoder_hidden_size;
        self
    }

    /// Sets both dropout probabilities.
    #[must_use]
    pub fn with_dropout(mut self, prob: f64) -> Self {
        self.hidden_dropout_prob = prob;
        self.attention_probs_dropout_prob = prob;
        self
    }

    /// Checks the settings, for [`QFormerConfig::init`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if heads do not divide the width, the frequency of
    /// cross-attention is zero, a dropout probability is outside `0.0..1.0` or a size is above
    /// [`MAX_SIZE`](vigc_core::nn::MAX_SIZE).
    pub fn validate(&self) -> Result<()> {
        check_divides("hidden_size", self.hidden_size, self.num_attention_heads)?;
        let fail = |field, value: String, reason| Err(Error::Config { field, value, reason });
        if self.cross_attention_frequency == 0 {
            return fail("cross_attention_frequency", "0".to_owned(), "must be positive");
        }
        for (field, prob) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
        ] {
            if !(0.0..1.0).contains(&prob) {
                return fail(field, prob.to_string(), "must be in 0.0..1.0");
            }
        }
        check_sizes(&[
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("encoder_hidden_size", self.encoder_hidden_size),
        ])
    }

    /// Initializes a linear layer with a bias of zero.
    pub(super) fn linear(&self, d_input: usize, d_output: usize, device: &Device) -> Linear {
        let weight = Initializer::Normal { mean: 0.0, std: self.initializer_range };
        LinearConfig::new(d_input, d_output)
            .with_initializer(weight)
            .with_bias_initializer(Some(Initializer::Zeros))
            .with_precision(self.precision)
            .init(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_hugging_face_configuration() {
        let json = r#"{"model_type": "instructblip_qformer", "hidden_size": 64, "pad_token_id": 0,
            "vocab_size": 30523, "cross_attention_frequency": 2, "hidden_dropout_prob": 0}"#;
        let config: QFormerConfig = serde_json::from_str(json).unwrap();
        assert_eq!((config.vocab_size, config.num_hidden_layers), (30_523, 12));
        assert!(config.validate().is_err(), "12 heads do not divide 64");
    }

    #[test]
    fn impossible_configurations_are_errors() {
        let base = QFormerConfig::new(8)
            .with_num_hidden_layers(1)
            .with_num_attention_heads(2)
            .with_vocab_size(10)
            .with_encoder_hidden_size(8);
        assert!(base.validate().is_ok());
        assert!(base.clone().with_dropout(1.0).validate().is_err());
        let huge = QFormerConfig { vocab_size: 1 << 50, ..base.clone() }.validate().unwrap_err();
        assert!(huge.to_string().starts_with("vocab_size = 1125899906842624"), "{huge}");
        let never = QFormerConfig { cross_attention_frequency: 0, ..base };
        assert!(never.validate().unwrap_err().to_string().starts_with("cross_attention_frequency"));
    }
}
