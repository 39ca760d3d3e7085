//! The gated feed-forward network (`SwiGLU`).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::kernels::swiglu;
use vigc_core::nn::Linear;

use super::{LlamaConfig, linear};

/// Feed-forward network of a decoder layer: `down(silu(gate(x)) * up(x))`.
#[derive(Module, Debug)]
pub struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Mlp {
    pub(super) fn linear_layers(&mut self) -> [(&'static str, &mut Linear); 3] {
        let Self { gate_proj, up_proj, down_proj } = self;
        [("gate_proj", gate_proj), ("up_proj", up_proj), ("down_proj", down_proj)]
    }

    pub(super) fn new(config: &LlamaConfig, device: &Device) -> Self {
        let (outer, inner) = (config.hidden_size, config.intermediate_size);
        Self {
            gate_proj: linear(config, outer, inner, device),
            up_proj: linear(config, outer, inner, device),
            down_proj: linear(config, inner, outer, device),
        }
    }

    /// Transforms every position on its own.
    ///
    /// # Shapes
    ///
    /// - input, output: `[.., hidden]`
    #[must_use]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let gate = self.gate_proj.forward(x.clone());
        self.down_proj.forward(swiglu(gate, self.up_proj.forward(x)))
    }
}
