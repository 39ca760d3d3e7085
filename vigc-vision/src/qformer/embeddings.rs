//! Queries and text to one sequence.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Device, Tensor};
use vigc_core::TokenBatch;
use vigc_core::nn::LayerNorm;

use super::QFormerConfig;

/// Embeds a text and puts it behind the queries.
#[derive(Module, Debug)]
pub struct QFormerEmbeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    layernorm: LayerNorm,
    dropout: Dropout,
}

impl QFormerEmbeddings {
    pub(super) fn new(config: &QFormerConfig, device: &Device) -> Self {
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

    /// Joins queries and text and normalizes both. Positions count from 0 in the text; queries
    /// have none.
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
    #[must_use]
    pub fn forward(&self, query_tokens: Tensor<3>, text: Option<&TokenBatch>) -> Tensor<3> {
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
