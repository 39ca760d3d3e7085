//! Low-rank updates of linear layers while they are trained (<https://arxiv.org/abs/2106.09685>).

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::kernels;

/// `scale * first second`, added to weights that stay as they are, whatever they are stored in.
#[derive(Module, Debug)]
pub struct LowRankUpdate {
    /// `[d_input, rank]`.
    pub first: Param<Tensor<2>>,
    /// `[rank, d_output]`.
    pub second: Param<Tensor<2>>,
    /// What their product is multiplied by.
    #[module(skip)]
    pub scale: f32,
}

impl LowRankUpdate {
    /// An update of a layer of this width and height that changes nothing yet: as in PEFT the first factor is drawn, the
    /// second zero.
    #[must_use]
    pub fn new([d_input, d_output]: [usize; 2], rank: usize, scale: f32, device: &Device) -> Self {
        let drawn = Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false };
        Self {
            first: drawn.init_with([d_input, rank], Some(d_input), Some(rank), device),
            second: Initializer::Zeros.init([rank, d_output], device),
            scale,
        }
    }

    /// What is added to the layer's output.
    ///
    /// # Shapes
    ///
    /// - input: `[rows, d_input]`
    /// - output: `[rows, d_output]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let inner = kernels::product(x, self.first.val(), None);
        kernels::product(inner, self.second.val(), None).mul_scalar(self.scale)
    }

    /// What is added to the layer's weights, `[d_input, d_output]`.
    #[must_use]
    pub fn weight(&self) -> Tensor<2> {
        self.first.val().matmul(self.second.val()).mul_scalar(self.scale)
    }
}
