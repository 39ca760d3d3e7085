//! The Q-Former: learned queries that read an image in the light of a text.
//!
//! A post-norm BERT over the queries and the text's tokens. In every
//! `cross_attention_frequency`-th layer the query rows also attend to the image, and query rows and
//! text rows have feed-forward networks of their own. Mirrors LAVIS' `models/blip2_models/Qformer.py`
//! and transformers' `InstructBlipQFormerModel`, whose parameter names the modules carry.
//! [BLIP-2](https://arxiv.org/abs/2301.12597), [InstructBLIP](https://arxiv.org/abs/2305.06500).

mod attention;
mod embeddings;
mod image_key_values;
pub mod keys;
mod layer;

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};
use serde::{Deserialize, Serialize};
use vigc_core::TokenBatch;
use vigc_core::nn::{Linear, LinearConfig, Precision};

pub use self::attention::{MultiHeadAttention, QFormerAttention};
pub use self::embeddings::QFormerEmbeddings;
pub use self::image_key_values::{ImageKeyValues, KeyValues};
use self::layer::Rows;
pub use self::layer::{Intermediate, Output, QFormerLayer};
use crate::config::{HiddenAct, check_divides, check_sizes};
use crate::{Error, Result};

/// Configuration of a [`QFormer`], named as `qformer_config` of `InstructBLIP` checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QFormerConfig {
    /// Number of text tokens known.
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
    /// Dropout of embeddings and of each sublayer's output, in training.
    pub hidden_dropout_prob: f64,
    /// Dropout of attention weights, in training.
    pub attention_probs_dropout_prob: f64,
    /// Longest text, in tokens.
    pub max_position_embeddings: usize,
    /// Standard deviation of initial weights.
    pub initializer_range: f64,
    /// Added to the variance in norms.
    pub layer_norm_eps: f64,
    /// Every how many layers there is cross-attention, the first layer included.
    pub cross_attention_frequency: usize,
    /// Width of the image's tokens.
    pub encoder_hidden_size: usize,
    /// What the weights are stored in; no part of the file.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for QFormerConfig {
    /// The Q-Former of BLIP-2 and `InstructBLIP`: BERT-base with cross-attention to ViT-g.
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
    /// A Q-Former with feed-forward networks four times as wide as the residual stream.
    #[must_use]
    pub fn new(
        hidden_size: usize,
        num_hidden_layers: usize,
        num_attention_heads: usize,
        vocab_size: usize,
        encoder_hidden_size: usize,
    ) -> Self {
        Self {
            vocab_size,
            hidden_size,
            num_hidden_layers,
            num_attention_heads,
            intermediate_size: 4 * hidden_size,
            encoder_hidden_size,
            ..Self::default()
        }
    }

    /// Sets both dropout probabilities.
    #[must_use]
    pub fn with_dropout(mut self, prob: f64) -> Self {
        self.hidden_dropout_prob = prob;
        self.attention_probs_dropout_prob = prob;
        self
    }

    /// Checks what [`QFormerConfig::init`] relies on.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if heads do not divide the width, the frequency of
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

    /// Initializes a [`QFormer`] with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> QFormer {
        let layers = (0..self.num_hidden_layers).map(|i| {
            let cross_attention = i % self.cross_attention_frequency == 0;
            QFormerLayer::new(self, cross_attention, device)
        });
        QFormer {
            embeddings: QFormerEmbeddings::new(self, device),
            encoder: Encoder { layer: layers.collect() },
        }
    }

    fn linear(&self, d_input: usize, d_output: usize, device: &Device) -> Linear {
        let weight = Initializer::Normal { mean: 0.0, std: self.initializer_range };
        LinearConfig::new(d_input, d_output)
            .with_initializer(weight)
            .with_bias_initializer(Some(Initializer::Zeros))
            .with_precision(self.precision)
            .init(device)
    }
}

/// The layers of a [`QFormer`].
#[derive(Module, Debug)]
pub struct Encoder {
    layer: Vec<QFormerLayer>,
}

/// Turns an image and a text into a fixed number of visual tokens.
#[derive(Module, Debug)]
pub struct QFormer {
    embeddings: QFormerEmbeddings,
    encoder: Encoder,
}

impl QFormer {
    /// Computes what every cross-attention reads of the images, once for all texts about them.
    ///
    /// # Shapes
    ///
    /// - image embeds: `[batch, seq, encoder_hidden]`, after the final norm of the encoder
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "tensors are passed by value everywhere")]
    pub fn image_key_values(&self, image_embeds: Tensor<3>) -> ImageKeyValues {
        let key_values = |layer: &QFormerLayer| layer.image_key_values(&image_embeds);
        ImageKeyValues::new(self.encoder.layer.iter().map(key_values).collect())
    }

    /// Reads images, each with one text or all without.
    ///
    /// Dropout acts on an autodiff device only.
    ///
    /// # Shapes
    ///
    /// - query tokens: `[1, queries, hidden]` or `[batch, queries, hidden]`
    /// - text: `[batch, seq]`
    /// - images: `batch` of them
    /// - output: `[batch, queries, hidden]`
    ///
    /// # Panics
    ///
    /// Panics if the batches differ, a text is longer than `max_position_embeddings`, or `images` were
    /// computed by a Q-Former with other layers.
    #[must_use]
    pub fn forward(
        &self,
        query_tokens: Tensor<3>,
        text: Option<&TokenBatch>,
        images: &ImageKeyValues,
    ) -> Tensor<3> {
        let [_, queries, hidden] = query_tokens.dims();
        let batch = images.batch().unwrap_or_else(|| query_tokens.dims()[0]);
        let query_tokens = query_tokens.expand([batch, queries, hidden]);
        let text = text.filter(|text| text.dims()[1] > 0);
        let forbidden = text.and_then(|text| forbid_padding(text, queries, &query_tokens.device()));
        let mut x = self.embeddings.forward(query_tokens, text);
        let layers = self.encoder.layer.iter().zip(images.layers(self.encoder.layer.len()));
        for (i, (layer, image)) in layers.enumerate() {
            let last = i + 1 == self.encoder.layer.len();
            // Nobody reads the last layer's text rows.
            let rows = if last { Rows::Queries } else { Rows::All };
            x = layer.forward(x, queries, rows, forbidden.clone(), image);
        }
        x
    }
}

/// `[batch, 1, 1, queries + seq]`, `true` where a score is forbidden; `None` where none is.
fn forbid_padding(text: &TokenBatch, queries: usize, device: &Device) -> Option<Tensor<4, Bool>> {
    if text.is_dense() {
        return None;
    }
    let [batch, _] = text.dims();
    let queries = Tensor::<2, Bool>::full([batch, queries], true, device);
    let mask = Tensor::cat(vec![queries, text.mask(device)], 1);
    Some(vigc_core::nn::forbid_padding(mask))
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
    fn rejects_what_cannot_be_built() {
        let base = QFormerConfig::new(8, 1, 2, 10, 8);
        assert!(base.validate().is_ok());
        assert!(base.clone().with_dropout(1.0).validate().is_err());
        let huge = QFormerConfig { vocab_size: 1 << 50, ..base.clone() }.validate().unwrap_err();
        assert!(huge.to_string().starts_with("vocab_size = 1125899906842624"), "{huge}");
        let never = QFormerConfig { cross_attention_frequency: 0, ..base };
        assert!(never.validate().unwrap_err().to_string().starts_with("cross_attention_frequency"));
    }
}
