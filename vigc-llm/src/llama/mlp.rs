//! The gated feed-forward network (`SwiGLU`).

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{self, sigmoid};
use burn::tensor::{Device, Tensor};

use super::{LlamaConfig, linear};

/// Feed-forward network of a decoder layer: `down(silu(gate(x)) * up(x))`.
#[derive(Module, Debug)]
pub struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Mlp {
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
    /// - input, output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let gate = silu(self.gate_proj.forward(x.clone()));
        self.down_proj.forward(gate * self.up_proj.forward(x))
    }
}

/// `x * sigmoid(x)`.
///
/// While gradients are recorded, the slope is computed along with the value, which spares the
/// backward pass a second sigmoid: the term added to the value is zero and has that slope.
fn silu(x: Tensor<3>) -> Tensor<3> {
    if !x.device().is_autodiff() {
        return activation::silu(x);
    }
    let at = x.clone().detach().without_autodiff();
    let gate = sigmoid(at.clone());
    let value = at.clone() * gate.clone();
    let slope = gate.clone() + value.clone() * gate.neg().add_scalar(1.0);
    (x - at) * slope + value
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    #[test]
    fn silu_has_its_value_and_its_slope() {
        let device = Device::default().autodiff();
        let x = Tensor::<3>::random([2, 3, 50], Distribution::Uniform(-100.0, 100.0), &device);
        let run = |f: fn(Tensor<3>) -> Tensor<3>| {
            let x = x.clone().detach().require_grad();
            let y = f(x.clone());
            let grads = (y.clone() * y.clone()).sum().backward();
            (y.into_data(), x.grad(&grads).unwrap().into_data())
        };
        let (value, slope) = run(silu);
        let (expected_value, expected_slope) = run(activation::silu);
        value.assert_approx_eq::<f32>(&expected_value, Tolerance::rel_abs(1e-6, 1e-6));
        slope.assert_approx_eq::<f32>(&expected_slope, Tolerance::rel_abs(1e-5, 1e-5));
    }
}
