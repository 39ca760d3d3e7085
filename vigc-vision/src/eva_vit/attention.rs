//! Multi-head self-attention with one fused projection.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::nn::Linear;

use super::EvaVitConfig;
use crate::attention::attend;

/// Self-attention of an [`EncoderLayer`](super::EncoderLayer).
#[derive(Module, Debug)]
pub struct Attention {
    qkv: Linear,
    projection: Linear,
    num_heads: usize,
}

impl Attention {
    pub(super) fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            qkv: config.linear(hidden, 3 * hidden).with_bias(config.qkv_bias).init(device),
            projection: config.linear(hidden, hidden).init(device),
            num_heads: config.num_attention_heads,
        }
    }

    /// Attends over the whole sequence.
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, seq, hidden] = x.dims();
        let heads = self.num_heads;
        // [3, batch, heads, seq, head_dim]
        let qkv = self.qkv.forward(x);
        let qkv = qkv.reshape([batch, seq, 3, heads, hidden / heads]).permute([2, 0, 3, 1, 4]);
        let part = |i: usize| qkv.clone().slice([i..=i]).squeeze_dim::<4>(0);
        self.projection.forward(attend(part(0), part(1), part(2), None, None))
    }
}
