//! The fused operations as an extension of the CPU backend.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Shape, Tensor, TensorData};

use super::rows::{map_cross_entropy, map_gelu, map_norm, map_quick_gelu, map_rotate, map_swiglu};

/// What the CPU computes in one pass. The public functions check devices and types.
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

    fn kernel_strips_product(
        x: FloatTensor<Self>,
        strips: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self>;

    fn kernel_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// A tensor's numbers, copied only if they do not lie one after the other.
pub(super) struct Numbers(FlexTensor);

impl Numbers {
    pub(super) fn of(tensor: &FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    pub(super) fn slice(&self) -> &[f32] {
        self.0.as_slice().expect("the callers check for f32, and the tensor is contiguous")
    }

    /// A tensor's numbers, to be overwritten; copied only if somebody else has them, too.
    pub(super) fn owned(tensor: FlexTensor) -> Self {
        let numbers = Self::of(&tensor);
        drop(tensor);
        numbers
    }

    pub(super) fn slice_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    pub(super) fn into_tensor(self) -> FlexTensor {
        self.0
    }
}

pub(super) fn dims(tensor: &FlexTensor) -> Vec<usize> {
    tensor.layout().shape().to_vec()
}

pub(super) fn tensor(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape.into()))
}

/// A norm's output and the statistics of its rows.
pub(super) fn norm(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: Option<&FlexTensor>,
    epsilon: f32,
) -> (FlexTensor, Vec<[f32; 2]>) {
    let (numbers, gamma) = (Numbers::of(x), Numbers::of(gamma));
    let beta = beta.map(Numbers::of);
    let mut out = vec![0.0; numbers.slice().len()];
    let beta = beta.as_ref().map(Numbers::slice);
    let statistics = map_norm(numbers.slice(), gamma.slice(), beta, epsilon, &mut out);
    (tensor(out, dims(x)), statistics)
}

/// Heads rotated by their angles, or back.
pub(super) fn rotated(
    x: &FlexTensor,
    cos: &FlexTensor,
    sin: &FlexTensor,
    direction: f32,
) -> FlexTensor {
    let half = dims(cos)[3];
    let [x, cos, sin] = [x, cos, sin].map(Numbers::of);
    let mut out = vec![0.0; x.slice().len()];
    map_rotate(x.slice(), [cos.slice(), sin.slice()], half, direction, &mut out);
    tensor(out, dims(&x.0))
}

/// Probabilities `[rows, classes]`, losses and the classes.
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
    let mut probabilities = Numbers::of(logits).slice().to_vec();
    let losses = map_cross_entropy(&mut probabilities, width, &classes);
    (probabilities, losses, classes)
}

impl Kernels for Flex {
    fn kernel_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let mut numbers = Numbers::owned(x);
        map_gelu(numbers.slice_mut());
        numbers.into_tensor()
    }

    fn kernel_quick_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let mut numbers = Numbers::owned(x);
        map_quick_gelu(numbers.slice_mut());
        numbers.into_tensor()
    }

    fn kernel_swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let mut gate = Numbers::owned(gate);
        map_swiglu(gate.slice_mut(), Numbers::of(&up).slice());
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
        super::strips::attention(&q, &k, &v, &bias, scale)
    }

    fn kernel_self_attention(qkv: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        super::strips::self_attention(&qkv, scale)
    }

    fn kernel_product(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        super::strips::full_product(&x, &w, &bias)
    }

    fn kernel_strips_product(
        x: FloatTensor<Self>,
        strips: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self> {
        super::strips::strips_product(&x, &strips, &bias, outputs)
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
    // The dispatch knows no optional tensors; two numbers per row are too few to be a bias.
    let bias = bias.unwrap_or_else(|| Tensor::zeros([1, 1, 1, 0], &q.device().inner()));
    let [q, k, v, bias] = [q, k, v, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::kernel_attention(q, k, v, bias, scale as f32))
}

pub(super) fn self_attention(qkv: Tensor<5>, scale: f64) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_self_attention(qkv.into_dispatch(), scale as f32))
}

/// A bias, or one of no numbers: the dispatch knows no optional tensors.
fn or_none(bias: Option<Tensor<1>>, x: &Tensor<2>) -> Tensor<1> {
    bias.unwrap_or_else(|| Tensor::zeros([0], &x.device().inner()))
}

pub(super) fn product(x: Tensor<2>, w: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let bias = or_none(bias, &x).into_dispatch();
    Tensor::from_dispatch(Dispatch::kernel_product(x.into_dispatch(), w.into_dispatch(), bias))
}

pub(super) fn strips_product(
    x: Tensor<2>,
    strips: Tensor<3, Int>,
    bias: Option<Tensor<1>>,
    outputs: usize,
) -> Tensor<2> {
    let bias = or_none(bias, &x).into_dispatch();
    let (x, strips) = (x.into_dispatch(), strips.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_strips_product(x, strips, bias, outputs))
}

pub(super) fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let (logits, classes) = (logits.into_dispatch(), classes.into_dispatch());
    Tensor::from_dispatch(Dispatch::kernel_cross_entropy(logits, classes))
}
