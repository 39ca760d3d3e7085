//! Building blocks that the encoders share.

use burn::module::{Module, Param};
use burn::nn::Dropout;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::softmax;
use burn::tensor::module::linear;
use burn::tensor::{Bool, Device, Tensor};
use vigc_core::kernels;
use vigc_core::nn::{Linear, LinearConfig};

use crate::config::HiddenAct;

/// Added to a score that is masked.
const MASKED: f32 = -1e30;

/// Splits the hidden width into heads.
///
/// # Shapes
///
/// - x: `[batch, seq, hidden]`
/// - output: `[batch, heads, seq, head_dim]`
pub(crate) fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, seq, hidden] = x.dims();
    x.reshape([batch, seq, heads, hidden / heads]).swap_dims(1, 2)
}

/// Attends from `q` to `k` and concatenates the outputs of the heads.
///
/// # Shapes
///
/// - q: `[batch, heads, queries, head_dim]`
/// - k, v: `[batch, heads, seq, head_dim]`
/// - masked: broadcastable to `[batch, heads, queries, seq]`, `true` where a score is masked
/// - output: `[batch, queries, hidden]`
pub(crate) fn attend(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    masked: Option<Tensor<4, Bool>>,
    dropout: Option<&Dropout>,
) -> Tensor<3> {
    let [batch, heads, queries, head_dim] = q.dims();
    let scale = (head_dim as f64).powf(-0.5);
    // The same condition as in burn's layer, which takes a model that was only loaded for one in training.
    let drops = q.device().is_autodiff()
        && dropout.is_some_and(|dropout| dropout.prob > 0.0 && dropout.training.is_enabled());
    let context = if !drops {
        let bias = masked.map(|masked| {
            let options = (&q.device(), q.dtype());
            Tensor::zeros(masked.dims(), options).mask_fill(masked, MASKED)
        });
        kernels::attention(q, k, v, bias, scale)
    } else {
        // No fused kernel has dropout.
        let scores = (q * scale).matmul(k.transpose());
        let scores = match masked {
            Some(masked) => {
                let shape = scores.dims();
                scores.mask_fill(masked.expand(shape), f32::NEG_INFINITY)
            }
            None => scores,
        };
        let weights = softmax(scores, 3);
        let weights = match dropout {
            Some(dropout) => dropout.forward(weights),
            None => weights,
        };
        weights.matmul(v)
    };
    context.swap_dims(1, 2).reshape([batch, queries, heads * head_dim])
}

/// The feed-forward network of an image encoder's layer.
#[derive(Module, Debug)]
pub(crate) struct Mlp {
    fc1: Linear,
    fc2: Linear,
    #[module(skip)]
    hidden_act: HiddenAct,
}

impl Mlp {
    /// A network whose first layer is `fc1`. The second maps back to the width of the input.
    pub(crate) fn new(fc1: &LinearConfig, hidden_act: HiddenAct, device: &Device) -> Self {
        let fc2 = LinearConfig { d_input: fc1.d_output, d_output: fc1.d_input, ..fc1.clone() };
        Self { fc1: fc1.init(device), fc2: fc2.init(device), hidden_act }
    }

    /// Transforms every position independently, `[batch, seq, hidden]`.
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.fc2.forward(self.hidden_act.forward(self.fc1.forward(x)))
    }
}

/// A convolution whose windows do not overlap, computed as one matrix product.
///
/// # Shapes
///
/// - images: `[batch, channels, size, size]`
/// - output: `[batch, patches, hidden]`, row by row
pub(crate) fn embed_patches(embedding: &Conv2d, images: Tensor<4>) -> Tensor<3> {
    let weight = embedding.weight.val();
    let bias = embedding.bias.as_ref().map(Param::val);
    let [hidden, channels, patch, _] = weight.dims();
    let [batch, _, size, _] = images.dims();
    let side = size / patch;
    let patches = images
        .slice([0..batch, 0..channels, 0..side * patch, 0..side * patch])
        .reshape([batch, channels, side, patch, side, patch])
        .permute([0, 2, 4, 1, 3, 5])
        .reshape([batch, side * side, channels * patch * patch]);
    linear(patches, weight.reshape([hidden, channels * patch * patch]).transpose(), bias)
}

/// Asserts that images have the size that an encoder is made for.
///
/// # Panics
///
/// Panics if they have another size.
pub(crate) fn assert_size(images: &Tensor<4>, image_size: usize) {
    let [_, channels, height, width] = images.dims();
    let expected = [3, image_size, image_size];
    assert_eq!([channels, height, width], expected, "channels, height and width of images");
}
