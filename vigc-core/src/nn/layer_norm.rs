//! Layer normalization by the fused kernel.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};

use crate::kernels::layer_norm;

/// Layer normalization of the last axis. Parameters have the names of burn's layer, so checkpoints are read as for that one,
/// whose gradients on the CPU are a dozen passes over memory.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// What is multiplied, `[hidden]`.
    pub gamma: Param<Tensor<1>>,
    /// What is added, `[hidden]`.
    pub beta: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// A norm that changes neither scale nor mean.
    #[must_use]
    pub fn new(hidden: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([hidden], device)),
            beta: Param::from_tensor(Tensor::zeros([hidden], device)),
            epsilon,
        }
    }

    /// Normalizes the last axis, in f32 whatever the type.
    ///
    /// # Shapes
    ///
    /// - input, output: `[.., hidden]`
    #[must_use]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let [gamma, beta] = [&self.gamma, &self.beta].map(|param| param.val().cast(DType::F32));
        layer_norm(x.cast(DType::F32), gamma, beta, self.epsilon).cast(dtype)
    }
}
