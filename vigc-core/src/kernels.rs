//! Fused operations for the CPU, forward and backward.
//!
//! On the CPU burn computes `exp` and `erf` one number at a time and, under autodiff, splits norms,
//! softmax and losses into a dozen passes over memory; in a small transformer that takes longer than
//! all matrix products together. The operations here make one pass each with vectorized
//! polynomials. On any other device, or for half precision, they are composed of burn's own.
//!
//! Feature `flex` compiles the CPU versions, feature `train` their gradients.

#[cfg(feature = "flex")]
mod backend;
#[cfg(all(feature = "flex", feature = "train"))]
mod gradient;
#[cfg(feature = "flex")]
mod math;
#[cfg(feature = "flex")]
mod products;
#[cfg(feature = "flex")]
mod rows;
#[cfg(all(test, feature = "flex", feature = "train"))]
mod tests;

use burn::tensor::{DType, Int, Tensor, activation};

use crate::nn::unpack;

/// Whether the fused operations can take this tensor.
#[cfg(feature = "flex")]
fn fused<const D: usize>(x: &Tensor<D>) -> bool {
    use burn::backend::DispatchDevice;

    let device = x.device();
    x.dtype() == DType::F32
        && (cfg!(feature = "train") || !device.is_autodiff())
        && matches!(device.inner().as_dispatch(), DispatchDevice::Flex(_))
}

/// The exact (erf) GELU; its error stays below 1e-6.
///
/// # Shapes
///
/// - input, output: `[..]`
#[must_use]
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if fused(&x) {
        return backend::gelu(x);
    }
    activation::gelu(x)
}

/// `silu(gate) * up`, the gate of LLaMA's feed-forward network.
///
/// # Shapes
///
/// - gate, up, output: `[..]`
#[must_use]
pub fn swiglu<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if fused(&gate) && fused(&up) {
        return backend::swiglu(gate, up);
    }
    activation::silu(gate) * up
}

/// Layer normalization of the last axis.
///
/// # Shapes
///
/// - x, output: `[.., hidden]`
/// - gamma, beta: `[hidden]`
#[must_use]
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if fused(&x) && fused(&gamma) {
        return backend::layer_norm(x, gamma, beta, epsilon);
    }
    burn::tensor::module::layer_norm(x, gamma, Some(beta), epsilon)
}

/// Root mean square normalization of the last axis.
///
/// # Shapes
///
/// - x, output: `[.., hidden]`
/// - gamma: `[hidden]`
#[must_use]
pub fn rms_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, epsilon: f64) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if fused(&x) && fused(&gamma) {
        return backend::rms_norm(x, gamma, epsilon);
    }
    let scale = x.clone().square().mean_dim(D - 1).add_scalar(epsilon).sqrt().recip();
    x * scale * gamma.unsqueeze()
}

/// `softmax(q k^T * scale + bias) v`.
///
/// # Shapes
///
/// - q: `[batch, heads, queries, head_dim]`
/// - k, v: `[batch, heads, keys, head_dim]`
/// - bias: `[batch | 1, 1, queries | 1, keys]`
/// - output: `[batch, heads, queries, head_dim]`
#[must_use]
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    bias: Option<Tensor<4>>,
    scale: f64,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if fused(&q) && fused(&k) && fused(&v) {
        return backend::attention(q, k, v, bias, scale);
    }
    let scores = (q * scale).matmul(k.transpose());
    let scores = match bias {
        Some(bias) => scores + bias,
        None => scores,
    };
    activation::softmax(scores, 3).matmul(v)
}

/// `x w^T`, computed in f32 with weights in half precision.
///
/// # Shapes
///
/// - x: `[rows, inputs]`
/// - w: `[outputs, inputs]`, f16 or bf16
/// - output: `[rows, outputs]`
#[must_use]
pub fn half_product(x: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fused(&x) && !x.device().is_autodiff() {
        return products::half(x, w);
    }
    x.matmul(w.cast(DType::F32).transpose())
}

/// `x w^T`, computed in f32 with weights of 8 or 4 bits; see [`blocks`](crate::nn::blocks).
///
/// # Shapes
///
/// - x: `[rows, inputs]`
/// - codes: `[outputs, inputs]`, i8, or `[outputs, inputs / 2]`, u8
/// - scales: `[outputs, inputs / 32]`, f16
/// - output: `[rows, outputs]`
#[must_use]
pub fn block_product(x: Tensor<2>, codes: Tensor<2, Int>, scales: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fused(&x) && !x.device().is_autodiff() {
        return products::blocks(x, codes, scales);
    }
    let [_, inputs] = x.dims();
    x.matmul(unpack(codes, scales, inputs).transpose())
}

/// The negative log-probability of each row's class.
///
/// # Shapes
///
/// - logits: `[rows, classes]`
/// - classes, output: `[rows]`
#[must_use]
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if fused(&logits) {
        return backend::cross_entropy(logits, classes);
    }
    let [rows, _] = logits.dims();
    let log_probs = activation::log_softmax(logits, 1);
    log_probs.gather(1, classes.reshape([rows, 1])).reshape([rows]).neg()
}
