//! Multi-head self-attention with three projections.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::nn::Linear;

use super::ClipVitConfig;
use crate::attention::{attend, split_heads};

/// Self-attention of an [`EncoderLayer`](super::EncoderLayer).
#[derive(Module, Debug)]
pub struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    num_heads: usize,
}

impl Attention {
    pub(super) fn new(config: &ClipVitConfig, device: &Device) -> Self {
        let linear = || config.linear(config.hidden_size, config.hidden_size).init(device);
        Self {
            q_proj: linear(),
            k_proj: linear(),
            v_proj: linear(),
            out_proj: linear(),
            num_heads: config.num_attention_heads,
        }
    }

    /// Attends over the whole sequence.
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward(&self, x: &Tensor<3>) -> Tensor<3> {
        let [q, k, v] = [&self.q_proj, &self.k_proj, &self.v_proj]
            .map(|projection| split_heads(projection.forward(x.clone()), self.num_heads));
        self.out_proj.forward(attend(q, k, v, None, None))
    }
}
