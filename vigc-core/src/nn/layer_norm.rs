//! Layer normalization with the fused kernel.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};

use crate::kernels::layer_norm;

/// Layer normalization of the last axis.
///
/// The parameters have the names of burn's layer, so checkpoints load in the same way. The gradients of burn's layer take a dozen
/// passes over memory on the CPU.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// The scale, `[hidden]`.
    pub gamma: Param<Tensor<1>>,
    /// The shift, `[hidden]`.
    pub beta: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// A norm with scale 1 and shift 0.
    #[must_use]
    pub fn new(hidden: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([hidden], device)),
            beta: Param::from_tensor(Tensor::zeros([hidden], device)),
            epsilon,
        }
    }

    /// Normalizes the last axis. It computes in f32 and returns the type of the input.
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
