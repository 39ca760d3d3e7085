//! A pre-norm decoder layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
#[cfg(feature = "flex")]
use vigc_core::kernels::{PagedKeyValues, PagedRow};
use vigc_core::nn::Linear;

use super::attention::Positions;
use super::kv_cache::LayerCache;
#[cfg(feature = "flex")]
use super::paged::Step;
use super::{Attention, LlamaConfig, Mlp, RmsNorm};

/// Attention and a feed-forward network, each normalized before and added to its input.
#[derive(Module, Debug)]
pub struct DecoderLayer {
    self_attn: Attention,
    mlp: Mlp,
    input_layernorm: RmsNorm,
    post_attention_layernorm: RmsNorm,
}

impl DecoderLayer {
    /// Its linear layers with their names in it.
    pub(super) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        let attention = self.self_attn.linear_layers().into_iter();
        let attention = attention.map(|(name, layer)| (format!("self_attn.{name}"), layer));
        let mlp = self.mlp.linear_layers().into_iter();
        attention.chain(mlp.map(|(name, layer)| (format!("mlp.{name}"), layer)))
    }

    pub(super) fn new(config: &LlamaConfig, device: &Device) -> Self {
        let norm = || RmsNorm::new(config.hidden_size, config.rms_norm_eps, device);
        Self {
            self_attn: Attention::new(config, device),
            mlp: Mlp::new(config, device),
            input_layernorm: norm(),
            post_attention_layernorm: norm(),
        }
    }

    /// Transforms `x`, `[batch, seq, hidden]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        positions: &Positions,
        cache: Option<&mut LayerCache>,
    ) -> Tensor<3> {
        let normed = self.input_layernorm.forward(x.clone());
        let x = x + self.self_attn.forward(normed, positions, cache);
        let normed = self.post_attention_layernorm.forward(x.clone());
        x + self.mlp.forward(normed)
    }

    /// As [`DecoderLayer::forward`] for tokens of rows in pages, `[tokens, hidden]`.
    #[cfg(feature = "flex")]
    pub(super) fn read(
        &self,
        x: Tensor<2>,
        step: &Step,
        rows: &[PagedRow<'_>],
        pages: &mut PagedKeyValues,
    ) -> Tensor<2> {
        let normed = self.input_layernorm.forward(x.clone());
        let x = x + self.self_attn.read(&normed, step, rows, pages);
        let normed = self.post_attention_layernorm.forward(x.clone());
        x + self.mlp.forward(normed)
    }

    #[cfg(feature = "flex")]
    pub(super) fn num_kv_heads(&self) -> usize {
        self.self_attn.num_kv_heads()
    }
}
