//! A pre-norm transformer layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::nn::LayerNorm;

use super::{Attention, ClipVitConfig};
use crate::mlp::Mlp;

/// One of the layers of a [`ClipVit`](super::ClipVit).
#[derive(Module, Debug)]
pub struct EncoderLayer {
    layer_norm1: LayerNorm,
    self_attn: Attention,
    layer_norm2: LayerNorm,
    mlp: Mlp,
}

impl EncoderLayer {
    pub(super) fn new(config: &ClipVitConfig, device: &Device) -> Self {
        let fc1 = config.linear(config.hidden_size, config.intermediate_size);
        Self {
            layer_norm1: config.norm(device),
            self_attn: Attention::new(config, device),
            layer_norm2: config.norm(device),
            mlp: Mlp::new(&fc1, config.hidden_act, device),
        }
    }

    /// Applies attention and the feed-forward network, each with a residual.
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.self_attn.forward(&self.layer_norm1.forward(x));
        x.clone() + self.mlp.forward(self.layer_norm2.forward(x))
    }
}
