//! Multi-head attention, as the image encoder and the Q-Former share it.

use burn::nn::Dropout;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};
use vigc_core::kernels;

/// Added to a score that is forbidden.
const FORBIDDEN: f32 = -1e30;

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

/// Attends from `q` to `k` and returns the heads' contexts side by side.
///
/// # Shapes
///
/// - q: `[batch, heads, queries, head_dim]`
/// - k, v: `[batch, heads, seq, head_dim]`
/// - forbidden: broadcastable to `[batch, heads, queries, seq]`, `true` where a score is forbidden
/// - output: `[batch, queries, hidden]`
pub(crate) fn attend(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    forbidden: Option<Tensor<4, Bool>>,
    dropout: Option<&Dropout>,
) -> Tensor<3> {
    let [batch, heads, queries, head_dim] = q.dims();
    let scale = (head_dim as f64).powf(-0.5);
    // As burn's layer decides it: a model that was only loaded counts as being in training.
    let drops = q.device().is_autodiff()
        && dropout.is_some_and(|dropout| dropout.prob > 0.0 && dropout.training.is_enabled());
    let context = if !drops {
        let bias = forbidden.map(|forbidden| {
            let options = (&q.device(), q.dtype());
            Tensor::zeros(forbidden.dims(), options).mask_fill(forbidden, FORBIDDEN)
        });
        kernels::attention(q, k, v, bias, scale)
    } else {
        // No fused kernel has dropout.
        let scores = (q * scale).matmul(k.transpose());
        let scores = match forbidden {
            Some(forbidden) => {
                let shape = scores.dims();
                scores.mask_fill(forbidden.expand(shape), f32::NEG_INFINITY)
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
