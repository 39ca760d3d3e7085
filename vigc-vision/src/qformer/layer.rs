//! A layer of the Q-Former: self-attention, cross-attention and feed-forward networks.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Bool, Device, Tensor};
use vigc_core::nn::{LayerNorm, Linear};

use super::config::QFormerConfig;
use super::image_key_values::KeyValues;
use crate::blocks::{attend, split_heads};
use crate::config::HiddenAct;

/// A post-norm layer of a [`QFormer`](super::QFormer), with separate feed-forward networks for queries and text.
#[derive(Module, Debug)]
pub(super) struct QFormerLayer {
    attention: QFormerAttention,
    crossattention: Option<QFormerAttention>,
    intermediate: Intermediate,
    output: Output,
    intermediate_query: Intermediate,
    output_query: Output,
}

/// The positions that a layer must compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    All,
    Queries,
}

impl QFormerLayer {
    pub(super) fn new(config: &QFormerConfig, cross_attention: bool, device: &Device) -> Self {
        let attention = |source| QFormerAttention::new(config, source, device);
        Self {
            attention: attention(config.hidden_size),
            crossattention: cross_attention.then(|| attention(config.encoder_hidden_size)),
            intermediate: Intermediate::new(config, device),
            output: Output::new(config, device),
            intermediate_query: Intermediate::new(config, device),
            output_query: Output::new(config, device),
        }
    }

    pub(super) fn image_key_values(&self, image_embeds: &Tensor<3>) -> Option<KeyValues> {
        self.crossattention.as_ref().map(|cross| cross.key_values(image_embeds.clone()))
    }

    /// Applies the layer to `x`, whose first `queries` positions are the queries.
    ///
    /// # Shapes
    ///
    /// - x: `[batch, queries + seq, hidden]`
    /// - output: as x, or `[batch, queries, hidden]` for [`Rows::Queries`]
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        queries: usize,
        rows: Rows,
        masked: Option<Tensor<4, Bool>>,
        image: Option<&KeyValues>,
    ) -> Tensor<3> {
        let source = self.attention.key_values(x.clone());
        let x = match rows {
            Rows::All => x,
            Rows::Queries => x.narrow(1, 0, queries),
        };
        let x = self.attention.forward(x, source, masked);
        let [_, seq, _] = x.dims();
        if seq == queries {
            return self.forward_queries(x, image);
        }
        let text = x.clone().narrow(1, queries, seq - queries);
        let query = self.forward_queries(x.narrow(1, 0, queries), image);
        let text = self.output.forward(self.intermediate.forward(text.clone()), text);
        Tensor::cat(vec![query, text], 1)
    }

    fn forward_queries(&self, x: Tensor<3>, image: Option<&KeyValues>) -> Tensor<3> {
        let x = match (&self.crossattention, image) {
            (Some(cross), Some(image)) => cross.forward(x, image.clone(), None),
            (None, None) => x,
            _ => panic!("the images were computed by a Q-Former with other cross-attentions"),
        };
        self.output_query.forward(self.intermediate_query.forward(x.clone()), x)
    }
}

/// The first half of a feed-forward network.
#[derive(Module, Debug)]
struct Intermediate {
    dense: Linear,
    #[module(skip)]
    hidden_act: HiddenAct,
}

impl Intermediate {
    fn new(config: &QFormerConfig, device: &Device) -> Self {
        let dense = config.linear(config.hidden_size, config.intermediate_size, device);
        Self { dense, hidden_act: config.hidden_act }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.hidden_act.forward(self.dense.forward(x))
    }
}

/// The second half of a feed-forward network, with residual and norm.
#[derive(Module, Debug)]
struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout: Dropout,
}

impl Output {
    fn new(config: &QFormerConfig, device: &Device) -> Self {
        Self {
            dense: config.linear(config.intermediate_size, config.hidden_size, device),
            layer_norm: LayerNorm::new(config.hidden_size, config.layer_norm_eps, device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
        }
    }

    fn forward(&self, x: Tensor<3>, residual: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(self.dropout.forward(self.dense.forward(x)) + residual)
    }
}

/// The projections of an attention.
#[derive(Module, Debug)]
struct MultiHeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    dropout: Dropout,
    num_heads: usize,
}

/// Projects an attention's output and adds it to its input.
#[derive(Module, Debug)]
struct SelfOutput {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout: Dropout,
}

/// An attention with BERT's residual and post-norm.
#[derive(Module, Debug)]
struct QFormerAttention {
    attention: MultiHeadAttention,
    output: SelfOutput,
}

impl QFormerAttention {
    /// An attention to positions of width `source`.
    fn new(config: &QFormerConfig, source: usize, device: &Device) -> Self {
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

    /// Keys and values of the positions to attend to, `[batch, seq, source]`.
    fn key_values(&self, rows: Tensor<3>) -> KeyValues {
        let MultiHeadAttention { key, value, num_heads, .. } = &self.attention;
        KeyValues {
            key: split_heads(key.forward(rows.clone()), *num_heads),
            value: split_heads(value.forward(rows), *num_heads),
        }
    }

    /// Attends from `x` to `source`.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, queries, hidden]`
    /// - masked: broadcastable to `[batch, heads, queries, seq]`, `true` where a score is masked
    fn forward(
        &self,
        x: Tensor<3>,
        source: KeyValues,
        masked: Option<Tensor<4, Bool>>,
    ) -> Tensor<3> {
        let MultiHeadAttention { query, dropout, num_heads, .. } = &self.attention;
        let q = split_heads(query.forward(x.clone()), *num_heads);
        let context = attend(q, source.key, source.value, masked, Some(dropout));
        let SelfOutput { dense, layer_norm, dropout } = &self.output;
        layer_norm.forward(dropout.forward(dense.forward(context)) + x)
    }
}
