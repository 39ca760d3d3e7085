//! Products of tensors, as implementations of [`Kernels`](crate::kernels::backend::Kernels).

use burn::backend::flex::FlexTensor;

use super::product::{Product, Weights};
use super::{Format, unpack_all};
use crate::kernels::backend::{Numbers, dims, tensor};

fn product(x: &FlexTensor, outputs: usize, weights: Weights<'_>, bias: &FlexTensor) -> FlexTensor {
    let [rows, inputs] = dims(x)[..] else { unreachable!("products are of matrices") };
    let (x, bias) = (Numbers::of(x), Numbers::of(bias));
    let (x, bias) = (x.slice(), bias.slice());
    let product = Product { x, inputs, outputs, weights, bias, path: None };
    tensor(product.compute(), [rows, outputs])
}

/// `x w^T + bias` with weights in strips; a bias of no numbers is none.
pub(in super::super) fn strips_product(
    x: &FlexTensor,
    strips: &FlexTensor,
    bias: &FlexTensor,
    outputs: usize,
) -> FlexTensor {
    product(x, outputs, Weights::Strips(format_of(strips), strips.bytes()), bias)
}

/// `x w + bias` in f32; a bias of no numbers is none.
pub(in super::super) fn full_product(
    x: &FlexTensor,
    w: &FlexTensor,
    bias: &FlexTensor,
) -> FlexTensor {
    let (outputs, w) = (dims(w)[1], Numbers::of(w));
    product(x, outputs, Weights::Full(w.slice()), bias)
}

/// The gradient of the input of [`strips_product`], given that of its output.
#[cfg(feature = "train")]
pub(in super::super) fn strips_gradient(
    grad: &FlexTensor,
    strips: &FlexTensor,
    inputs: usize,
) -> FlexTensor {
    let outputs = dims(grad)[1];
    let w = unpack_all(format_of(strips), strips.bytes(), [outputs, inputs]);
    product(grad, inputs, Weights::Full(&w), &tensor(Vec::new(), [0]))
}

fn format_of(strips: &FlexTensor) -> Format {
    Format::of_unit(dims(strips)[2]).expect("strips have units of a known size")
}
