//! Products as an extension of the CPU backend.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Tensor};

use super::Format;
use super::product::{Product, Weights};
use crate::kernels::backend::{Numbers, dims, tensor};

/// Products on the CPU. The public functions check devices and types.
#[backend_extension(Flex)]
trait Products: Backend {
    fn product_of_strips(
        x: FloatTensor<Self>,
        strips: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self>;
}

fn product(x: &FlexTensor, outputs: usize, weights: Weights<'_>, bias: &FlexTensor) -> FlexTensor {
    let [rows, inputs] = dims(x)[..] else { unreachable!("products are of matrices") };
    let (x, bias) = (Numbers::of(x), Numbers::of(bias));
    let (x, bias) = (x.slice(), bias.slice());
    let product = Product { x, inputs, outputs, weights, bias, path: None };
    tensor(product.compute(), [rows, outputs])
}

impl Products for Flex {
    fn product_of_strips(
        x: FloatTensor<Self>,
        strips: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self> {
        let unit = dims(&strips)[2];
        let format = Format::of_unit(unit).expect("strips have units of a known size");
        product(&x, outputs, Weights::Strips(format, strips.bytes()), &bias)
    }
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

pub(in super::super) fn strips_product(
    x: Tensor<2>,
    strips: Tensor<3, Int>,
    bias: Option<Tensor<1>>,
    outputs: usize,
) -> Tensor<2> {
    // The dispatch knows no optional tensors.
    let bias = bias.unwrap_or_else(|| Tensor::zeros([0], &x.device())).into_dispatch();
    let (x, strips) = (x.into_dispatch(), strips.into_dispatch());
    Tensor::from_dispatch(Dispatch::product_of_strips(x, strips, bias, outputs))
}
