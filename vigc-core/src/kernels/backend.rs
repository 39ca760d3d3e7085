//! The fused operations as an extension of the CPU backend.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Tensor};

use super::panels::{self, attention};
use super::rows::{map_cross_entropy, map_gelu, map_norm, map_quick_gelu, map_rotate, map_swiglu};
use super::tensors::{Contiguous, dims, tensor};

/// The operations that the CPU computes in one pass. The public functions check devices and types.
#[backend_extension(Flex, Autodiff: cfg(feature = "train"))]
pub(super) trait Kernels: Backend {
    fn kernel_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn kernel_quick_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn kernel_swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;

    fn kernel_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;

    fn kernel_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;

    fn kernel_rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn kernel_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f32,
    ) -> FloatTensor<Self>;

    fn kernel_self_attention(qkv: FloatTensor<Self>, scale: f32) -> FloatTensor<Self>;

    fn kernel_product(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn kernel_panels_product(
        x: FloatTensor<Self>,
        panels: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self>;

    fn kernel_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// A norm's output and the statistics of its rows.
pub(super) fn norm(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: Option<&FlexTensor>,
    epsilon: f32,
) -> (FlexTensor, Vec<[f32; 2]>) {
    let (numbers, gamma) = (Contiguous::of(x), Contiguous::of(gamma));
    let beta = beta.map(Contiguous::of);
    let mut out = vec![0.0; numbers.slice().len()];
    let beta = beta.as_ref().map(Contiguous::slice);
    let statistics = map_norm(numbers.slice(), gamma.slice(), beta, epsilon, &mut out);
    (tensor(out, dims(x)), statistics)
}

/// Rotates heads by their angles, forward (1) or back (-1).
pub(super) fn rotated(
    x: &FlexTensor,
    cos: &FlexTensor,
    sin: &FlexTensor,
    direction: f32,
) -> FlexTensor {
    let half = dims(cos)[3];
    let [x, cos, sin] = [x, cos, sin].map(Contiguous::of);
    let mut out = vec![0.0; x.slice().len()];
    map_rotate(x.slice(), [cos.slice(), sin.slice()], half, direction, &mut out);
    tensor(out, x.dims())
}

/// Probabilities `[rows, classes]`, the losses of the rows, and their classes.
pub(super) fn losses(
    logits: &FlexTensor,
    classes: IntTensor<Flex>,
) -> (Vec<f32>, Vec<f32>, Vec<usize>) {
    let width = dims(logits)[1];
    let classes: Vec<usize> = classes
        .into_data()
        .convert::<i64>()
        .iter::<i64>()
        .map(|class| usize::try_from(class).unwrap_or(usize::MAX))
        .collect();
    let mut probabilities = Contiguous::of(logits).slice().to_vec();
    let losses = map_cross_entropy(&mut probabilities, width, &classes);
    (probabilities, losses, classes)
}

impl Kernels for Flex {
    fn kernel_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let mut numbers = Contiguous::owned(x);
        map_gelu(numbers.slice_mut());
        numbers.into_tensor()
    }

    fn kernel_quick_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let mut numbers = Contiguous::owned(x);
        map_quick_gelu(numbers.slice_mut());
        numbers.into_tensor()
    }

    fn kernel_swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let mut gate = Contiguous::owned(gate);
        map_swiglu(gate.slice_mut(), Contiguous::of(&up).slice());
        gate.into_tensor()
    }

    fn kernel_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        norm(&x, &gamma, Some(&beta), epsilon).0
    }

    fn kernel_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        norm(&x, &gamma, None, epsilon).0
    }

    fn kernel_rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        rotated(&x, &cos, &sin, 1.0)
    }

    fn kernel_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f32,
    ) -> FloatTensor<Self> {
        attention::attention(&q, &k, &v, &bias, scale)
    }

    fn kernel_self_attention(qkv: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        attention::self_attention(&qkv, scale)
    }

    fn kernel_product(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        panels::full_product(&x, &w, &bias)
    }

    fn kernel_panels_product(
        x: FloatTensor<Self>,
        panels: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self> {
        panels::panels_product(&x, &panels, &bias, outputs)
    }

    fn kernel_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let (_, losses, classes) = losses(&logits, classes);
        tensor(losses, [classes.len()])
    }
}

pub(super) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::kernel_gelu(x.into_dispatch()))
}

pub(super) fn quick_gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::kernel_quick_gelu(x.into_dispatch()))
}

pub(super) fn swiglu<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::kernel_swiglu(gate.into_dispatch(), up.into_dispatch()))
}

pub(super) fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_layer_norm(x, gamma, beta, epsilon as f32))
}

pub(super) fn rms_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let (x, gamma) = (x.into_dispatch(), gamma.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_rms_norm(x, gamma, epsilon as f32))
}

pub(super) fn rotate(x: Tensor<4>, cos: Tensor<4>, sin: Tensor<4>) -> Tensor<4> {
    let [x, cos, sin] = [x, cos, sin].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::kernel_rotate(x, cos, sin))
}

pub(super) fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    bias: Option<Tensor<4>>,
    scale: f64,
) -> Tensor<4> {
    // The dispatch has no optional tensors. A bias without keys stands for none.
    let bias = bias.unwrap_or_else(|| Tensor::zeros([1, 1, 1, 0], &q.device().inner()));
    let [q, k, v, bias] = [q, k, v, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::kernel_attention(q, k, v, bias, scale as f32))
}

pub(super) fn self_attention(qkv: Tensor<5>, scale: f64) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_self_attention(qkv.into_dispatch(), scale as f32))
}

/// A bias, or a tensor without numbers, which stands for none: the dispatch has no optional tensors.
fn bias_or_empty(bias: Option<Tensor<1>>, x: &Tensor<2>) -> Tensor<1> {
    bias.unwrap_or_else(|| Tensor::zeros([0], &x.device().inner()))
}

pub(super) fn product(x: Tensor<2>, w: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let bias = bias_or_empty(bias, &x).into_dispatch();
    Tensor::from_dispatch(Dispatch::kernel_product(x.into_dispatch(), w.into_dispatch(), bias))
}

pub(super) fn panels_product(
    x: Tensor<2>,
    panels: Tensor<3, Int>,
    bias: Option<Tensor<1>>,
    outputs: usize,
) -> Tensor<2> {
    let bias = bias_or_empty(bias, &x).into_dispatch();
    let (x, panels) = (x.into_dispatch(), panels.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_panels_product(x, panels, bias, outputs))
}

pub(super) fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let (logits, classes) = (logits.into_dispatch(), classes.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_cross_entropy(logits, classes))
}
