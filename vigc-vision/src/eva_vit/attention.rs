//! Multi-head self-attention with one fused projection.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::kernels::self_attention;
use vigc_core::nn::Linear;

use super::EvaVitConfig;

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
        let head_dim = hidden / self.num_heads;
        let qkv = self.qkv.forward(x).reshape([batch, seq, 3, self.num_heads, head_dim]);
        let context = self_attention(qkv, (head_dim as f64).powf(-0.5));
        self.projection.forward(context.reshape([batch, seq, hidden]))
    }
}
