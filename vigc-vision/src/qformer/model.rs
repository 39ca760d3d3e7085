//! The model: embeddings of queries and text, and the layers.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Bool, Device, Tensor};
use vigc_core::TokenBatch;
use vigc_core::nn::LayerNorm;

use super::config::QFormerConfig;
use super::image_key_values::ImageKeyValues;
use super::layer::{QFormerLayer, Rows};

/// Turns an image and a text into a fixed number of visual tokens.
#[derive(Module, Debug)]
pub struct QFormer {
    embeddings: QFormerEmbeddings,
    encoder: Encoder,
}

/// The layers of a [`QFormer`].
#[derive(Module, Debug)]
struct Encoder {
    layer: Vec<QFormerLayer>,
}

impl QFormerConfig {
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
}

impl QFormer {
    /// Computes the keys and values of every cross-attention, once for all texts about the images.
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

    /// Computes the visual tokens of images, each with a text or all without.
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
        let masked = text.and_then(|text| mask_padding(text, queries, &query_tokens.device()));
        let mut x = self.embeddings.forward(query_tokens, text);
        let layers = self.encoder.layer.iter().zip(images.layers(self.encoder.layer.len()));
        for (i, (layer, image)) in layers.enumerate() {
            let last = i + 1 == self.encoder.layer.len();
            // Nothing reads the text positions of the last layer.
            let rows = if last { Rows::Queries } else { Rows::All };
            x = layer.forward(x, queries, rows, masked.clone(), image);
        }
        x
    }
}

/// `[batch, 1, 1, queries + seq]`, `true` where a score is masked. `None` if there is no padding.
fn mask_padding(text: &TokenBatch, queries: usize, device: &Device) -> Option<Tensor<4, Bool>> {
    if text.is_dense() {
        return None;
    }
    let [batch, _] = text.dims();
    let queries = Tensor::<2, Bool>::full([batch, queries], true, device);
    let mask = Tensor::cat(vec![queries, text.mask(device)], 1);
    Some(vigc_core::nn::forbid_padding(mask))
}

/// Embeds a text and appends it to the queries.
#[derive(Module, Debug)]
struct QFormerEmbeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    layernorm: LayerNorm,
    dropout: Dropout,
}

impl QFormerEmbeddings {
    fn new(config: &QFormerConfig, device: &Device) -> Self {
        let weight = Initializer::Normal { mean: 0.0, std: config.initializer_range };
        let embedding = |rows| EmbeddingConfig::new(rows, config.hidden_size);
        let positions = embedding(config.max_position_embeddings);
        Self {
            word_embeddings: embedding(config.vocab_size)
                .with_initializer(weight.clone())
                .init(device),
            position_embeddings: positions.with_initializer(weight).init(device),
            layernorm: LayerNorm::new(config.hidden_size, config.layer_norm_eps, device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
        }
    }

    /// Joins queries and text and normalizes both. The text's positions count from 0; queries have no positions.
    ///
    /// # Shapes
    ///
    /// - query tokens: `[batch, queries, hidden]`
    /// - text: `[batch, seq]`
    /// - output: `[batch, queries + seq, hidden]`
    ///
    /// # Panics
    ///
    /// Panics if a text is longer than there are positions.
    fn forward(&self, query_tokens: Tensor<3>, text: Option<&TokenBatch>) -> Tensor<3> {
        let x = match text {
            Some(text) => {
                let words = self.embed(text, &query_tokens.device());
                Tensor::cat(vec![query_tokens, words], 1)
            }
            None => query_tokens,
        };
        self.dropout.forward(self.layernorm.forward(x))
    }

    fn embed(&self, text: &TokenBatch, device: &Device) -> Tensor<3> {
        let [_, seq] = text.dims();
        let positions = self.position_embeddings.weight.val();
        let [longest, hidden] = positions.dims();
        assert!(seq <= longest, "a text of {seq} tokens exceeds the {longest} positions");
        let positions = positions.slice([0..seq, 0..hidden]);
        self.word_embeddings.forward(text.ids(device)) + positions.unsqueeze()
    }
}
