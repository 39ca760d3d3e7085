//! Rotary position embeddings (<https://arxiv.org/abs/2104.09864>) in LLaMA's half-split layout.
//!
//! Dimension `i` of a head is rotated together with dimension `i + head_dim / 2`, not with dimension `i + 1`. Published
//! weights have this layout, so they need no permutation.

use burn::tensor::{DType, Int, Tensor, TensorData};
use vigc_core::kernels::rotate;

/// The rotation of every token of a batch. All layers share it.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    /// `[batch, seq, 1, head_dim / 2]`.
    cos: Tensor<4>,
    /// `[batch, seq, 1, head_dim / 2]`.
    sin: Tensor<4>,
}

impl Rotation {
    /// Rotations for tokens at `positions`, `[batch, seq]`, in the heads' data type.
    pub(super) fn new(
        positions: Tensor<2, Int>,
        head_dim: usize,
        theta: f64,
        dtype: DType,
    ) -> Self {
        let [batch, seq] = positions.dims();
        let half = head_dim / 2;
        let frequency = |i: usize| theta.powf(-((2 * i) as f64) / head_dim as f64) as f32;
        let frequencies = TensorData::new((0..half).map(frequency).collect(), [1, 1, 1, half]);
        let options = (&positions.device(), DType::F32);
        let frequencies = Tensor::<4>::from_data(frequencies, options);
        let angles = positions.float().cast(DType::F32).reshape([batch, seq, 1, 1]) * frequencies;
        Self { cos: angles.clone().cos().cast(dtype), sin: angles.sin().cast(dtype) }
    }

    /// Rotates heads, `[batch, seq, heads, head_dim]`.
    pub(super) fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        rotate(x, self.cos.clone(), self.sin.clone())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;

    /// The definition, one number at a time.
    fn rotate(head: &[f32], position: f32, theta: f32) -> Vec<f32> {
        let half = head.len() / 2;
        let turn = |i: usize| {
            let pair = i % half;
            let angle = position * theta.powf(-((2 * pair) as f32) / head.len() as f32);
            let other = if i < half { -head[i + half] } else { head[i - half] };
            head[i] * angle.cos() + other * angle.sin()
        };
        (0..head.len()).map(turn).collect()
    }

    #[test]
    fn rotates_halves_by_each_rows_positions() {
        let device = Device::default();
        let positions = [[0, 1], [3, 7]];
        let heads: Vec<f32> = (0..16).map(|i| (i as f32 * 0.7).sin()).collect();
        let x = Tensor::<4>::from_data(TensorData::new(heads.clone(), [2, 2, 1, 4]), &device);
        let rotation = Rotation::new(Tensor::from_data(positions, &device), 4, 100.0, DType::F32);
        let expected: Vec<f32> = heads
            .chunks(4)
            .zip(positions.concat())
            .flat_map(|(head, position)| rotate(head, position as f32, 100.0))
            .collect();
        let expected = TensorData::new(expected, [2, 2, 1, 4]);
        rotation.apply(x).to_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    }
}
