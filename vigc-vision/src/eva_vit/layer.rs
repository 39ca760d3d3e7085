//! A pre-norm transformer layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::nn::LayerNorm;

use super::{Attention, EvaVitConfig};
use crate::mlp::Mlp;

/// One of the layers of an [`EvaVit`](super::EvaVit).
#[derive(Module, Debug)]
pub struct EncoderLayer {
    layer_norm1: LayerNorm,
    self_attn: Attention,
    layer_norm2: LayerNorm,
    mlp: Mlp,
}

impl EncoderLayer {
    pub(super) fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let EvaVitConfig { hidden_size, intermediate_size, .. } = *config;
        let norm = || LayerNorm::new(hidden_size, config.layer_norm_eps, device);
        Self {
            layer_norm1: norm(),
            self_attn: Attention::new(config, device),
            layer_norm2: norm(),
            mlp: Mlp::new(
                &config.linear(hidden_size, intermediate_size),
                config.hidden_act,
                device,
            ),
        }
    }

    /// Applies attention and the feed-forward network, each with a residual.
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.self_attn.forward(self.layer_norm1.forward(x));
        x.clone() + self.mlp.forward(self.layer_norm2.forward(x))
    }
}
