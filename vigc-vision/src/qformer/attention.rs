//! Self- and cross-attention with BERT's post-norm residual.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Bool, Device, Tensor};
use vigc_core::nn::{LayerNorm, Linear};

use super::{KeyValues, QFormerConfig};
use crate::attention::{attend, split_heads};

/// Projections of an attention.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    dropout: Dropout,
    num_heads: usize,
}

/// Maps an attention's context back and adds it to its input.
#[derive(Module, Debug)]
struct SelfOutput {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout: Dropout,
}

/// An attention with residual and norm.
#[derive(Module, Debug)]
pub struct QFormerAttention {
    attention: MultiHeadAttention,
    output: SelfOutput,
}

impl QFormerAttention {
    /// Creates an attention to rows of width `source`.
    pub(super) fn new(config: &QFormerConfig, source: usize, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            attention: MultiHeadAttention {
                query: config.linear(hidden, hidden, device),
                key: config.linear(source, hidden, device),
                value: config.linear(source, hidden, device),
                dropout: DropoutConfig::new(config.attention_probs_dropout_prob).init(),
                num_heads: config.num_attention_heads,
            },
            output: SelfOutput {
                dense: config.linear(hidden, hidden, device),
                layer_norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
                dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            },
        }
    }

    /// Keys and values of the rows that are attended to.
    ///
    /// # Shapes
    ///
    /// - rows: `[batch, seq, source]`
    #[must_use]
    pub fn key_values(&self, rows: Tensor<3>) -> KeyValues {
        let MultiHeadAttention { key, value, num_heads, .. } = &self.attention;
        KeyValues {
            key: split_heads(key.forward(rows.clone()), *num_heads),
            value: split_heads(value.forward(rows), *num_heads),
        }
    }

    /// Lets the rows `x` attend, and adds what they read.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, queries, hidden]`
    /// - forbidden: broadcastable to `[batch, heads, queries, seq]`, `true` where a score is forbidden
    #[must_use]
    pub fn forward(
        &self,
        x: Tensor<3>,
        source: KeyValues,
        forbidden: Option<Tensor<4, Bool>>,
    ) -> Tensor<3> {
        let MultiHeadAttention { query, dropout, num_heads, .. } = &self.attention;
        let q = split_heads(query.forward(x.clone()), *num_heads);
        let context = attend(q, source.key, source.value, forbidden, Some(dropout));
        let SelfOutput { dense, layer_norm, dropout } = &self.output;
        layer_norm.forward(dropout.forward(dense.forward(context)) + x)
    }
}
