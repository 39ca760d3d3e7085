//! Root mean square normalization.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};
use vigc_core::kernels::rms_norm;

/// Scales a vector to a root mean square of one, then by a learned weight.
///
/// Everything is computed in f32 and cast once at the end, as the reference does; Hugging Face
/// casts before it multiplies by the weight, which differs in half precision only.
#[derive(Module, Debug)]
pub struct RmsNorm {
    weight: Param<Tensor<1>>,
    eps: f64,
}

impl RmsNorm {
    pub(super) fn new(hidden_size: usize, eps: f64, device: &Device) -> Self {
        Self { weight: Param::from_tensor(Tensor::ones([hidden_size], device)), eps }
    }

    /// The device that holds the weight.
    pub(super) fn device(&self) -> Device {
        self.weight.device()
    }

    /// Normalizes the last axis.
    ///
    /// # Shapes
    ///
    /// - input, output: `[.., hidden]`
    #[must_use]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let weight = self.weight.val().cast(DType::F32);
        rms_norm(x.cast(DType::F32), weight, self.eps).cast(dtype)
    }
}
