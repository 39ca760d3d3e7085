//! A post-norm layer with separate feed-forward networks for queries and text.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Bool, Device, Tensor};
use vigc_core::nn::{LayerNorm, Linear};

use super::{KeyValues, QFormerAttention, QFormerConfig};
use crate::config::HiddenAct;

/// The first half of a feed-forward network.
#[derive(Module, Debug)]
pub struct Intermediate {
    dense: Linear,
    #[module(skip)]
    hidden_act: HiddenAct,
}

/// The second half of a feed-forward network, with residual and norm.
#[derive(Module, Debug)]
pub struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout: Dropout,
}

/// One of the layers of a [`QFormer`](super::QFormer).
#[derive(Module, Debug)]
pub struct QFormerLayer {
    attention: QFormerAttention,
    crossattention: Option<QFormerAttention>,
    intermediate: Intermediate,
    output: Output,
    intermediate_query: Intermediate,
    output_query: Output,
}

/// Which rows a layer must compute.
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

    /// Applies the layer to `x`, whose first `queries` rows are the queries.
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
        forbidden: Option<Tensor<4, Bool>>,
        image: Option<&KeyValues>,
    ) -> Tensor<3> {
        let source = self.attention.key_values(x.clone());
        let x = match rows {
            Rows::All => x,
            Rows::Queries => x.narrow(1, 0, queries),
        };
        let x = self.attention.forward(x, source, forbidden);
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

impl Intermediate {
    fn new(config: &QFormerConfig, device: &Device) -> Self {
        let dense = config.linear(config.hidden_size, config.intermediate_size, device);
        Self { dense, hidden_act: config.hidden_act }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.hidden_act.forward(self.dense.forward(x))
    }
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
