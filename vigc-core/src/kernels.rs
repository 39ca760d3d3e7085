//! Fused operations for the CPU, forward and backward.
//!
//! burn computes `exp` and `erf` on the CPU one number at a time and, under autodiff, splits norms, softmax and losses into a
//! dozen passes over memory. In a small transformer that takes longer than all matrix products together. The operations here
//! make one pass each, with vectorized polynomials. Products have kernels of their own: burn's reach a tenth of the memory's
//! bandwidth, and there a row's result depends on the number of other rows.
//!
//! On any other device, and for half precision, every operation is composed of burn's own.
//!
//! The feature `flex` compiles the CPU versions, the feature `train` their gradients.

#[cfg(feature = "flex")]
mod backend;
#[cfg(all(feature = "flex", feature = "train"))]
mod gradient;
#[cfg(feature = "flex")]
mod huge_pages;
#[cfg(feature = "flex")]
mod math;
#[cfg(feature = "flex")]
pub(crate) mod panels;
#[cfg(all(feature = "flex", feature = "train"))]
mod row_gradients;
#[cfg(feature = "flex")]
mod rows;
#[cfg(feature = "flex")]
pub mod speed;
#[cfg(feature = "flex")]
mod tensors;
#[cfg(all(test, feature = "flex", feature = "train"))]
mod tests;

#[cfg(feature = "flex")]
use burn::tensor::{DType, Device};
use burn::tensor::{Int, Tensor, activation};

#[cfg(feature = "flex")]
pub use panels::attention::{PAGE, PagedKeyValues, PagedRow};

/// Whether the fused operations take this tensor.
#[cfg(feature = "flex")]
fn fused<const D: usize>(x: &Tensor<D>) -> bool {
    use burn::backend::DispatchDevice;

    let device = x.device();
    x.dtype() == DType::F32
        && (cfg!(feature = "train") || !device.is_autodiff())
        && matches!(device.inner().as_dispatch(), DispatchDevice::Flex(_))
}

/// Runs a function on a worker thread of [`rayon`]. Parallel operations start at once there. From any other thread, each of them
/// wakes a worker first, which takes as long as a small operation.
pub fn on_worker<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| run())
}

/// The exact (erf) GELU, with an error below 1e-6.
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

/// `x * sigmoid(1.702 x)`, the approximation of the GELU in OpenAI's CLIP.
///
/// # Shapes
///
/// - input, output: `[..]`
#[must_use]
pub fn quick_gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if fused(&x) {
        return backend::quick_gelu(x);
    }
    x.clone() * activation::sigmoid(x * 1.702)
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

/// Rotates heads in LLaMA's half-split layout, which pairs dimension `i` with dimension `i + head_dim / 2`.
///
/// # Shapes
///
/// - x, output: `[batch, seq, heads, head_dim]`
/// - cos, sin: `[batch, seq, 1, head_dim / 2]`, of the angles of each token
#[must_use]
pub fn rotate(x: Tensor<4>, cos: Tensor<4>, sin: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if fused(&x) && fused(&cos) {
        return backend::rotate(x, cos, sin);
    }
    let half = cos.dims()[3];
    let (low, high) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
    let rotated = [low.clone() * cos.clone() - high.clone() * sin.clone(), high * cos + low * sin];
    Tensor::cat(rotated.into(), 3)
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

/// [`attention`] of queries, keys and values from one projection.
///
/// # Shapes
///
/// - qkv: `[batch, seq, 3, heads, head_dim]`
/// - output: `[batch, seq, heads, head_dim]`
#[must_use]
pub fn self_attention(qkv: Tensor<5>, scale: f64) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if fused(&qkv) {
        return backend::self_attention(qkv, scale);
    }
    // [3, batch, heads, seq, head_dim]
    let qkv = qkv.permute([2, 0, 3, 1, 4]);
    let part = |i: usize| qkv.clone().slice([i..=i]).squeeze_dim::<4>(0);
    attention(part(0), part(1), part(2), None, scale).swap_dims(1, 2)
}

/// Whether products on this device are computed by the kernels of this crate.
#[cfg(feature = "flex")]
#[must_use]
pub fn has_product_kernels(device: &Device) -> bool {
    use burn::backend::DispatchDevice;

    matches!(device.as_dispatch(), DispatchDevice::Flex(_))
}

/// `x w^T + b` with frozen weights in panels.
///
/// # Shapes
///
/// - x: `[rows, inputs]`
/// - panels: `[outputs / 16, units, bytes of a unit]`, bytes
/// - b: `[outputs]`
/// - output: `[rows, outputs]`
#[cfg(feature = "flex")]
pub(crate) fn panels_product(
    x: Tensor<2>,
    panels: Tensor<3, Int>,
    b: Option<Tensor<1>>,
    outputs: usize,
) -> Tensor<2> {
    backend::panels_product(x, panels, b, outputs)
}

/// `x w + b`. On the CPU, a row's result is bitwise independent of the other rows.
///
/// # Shapes
///
/// - x: `[rows, inputs]`
/// - w: `[inputs, outputs]`
/// - b: `[outputs]`
/// - output: `[rows, outputs]`
#[must_use]
pub fn product(x: Tensor<2>, w: Tensor<2>, b: Option<Tensor<1>>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fused(&x) && fused(&w) {
        return backend::product(x, w, b);
    }
    burn::tensor::module::linear(x, w, b)
}

/// The negative log-likelihood of each row's class.
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
