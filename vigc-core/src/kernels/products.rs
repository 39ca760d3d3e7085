//! Products with weights that are not f32, as an extension of the CPU backend.
//!
//! Weights are converted to f32 on the way to the product: a line at a time for few rows, which is as fast as memory,
//! and for many rows a panel of lines at a time, which a matrix product then takes.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{DType, Int, Tensor};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use pulp::Arch;
use rayon::prelude::*;

use super::backend::{Numbers, dims, tensor};
use super::rows::dot;
use crate::nn::blocks::{decode_q4, decode_q8};

/// Up to so many rows, lines are converted for each product anew; beyond, a matrix product is faster.
const FEW: usize = 8;
/// Weights per task.
const TASK: usize = 1 << 17;
/// Lines of a panel.
const PANEL: usize = 1024;

/// Products on the CPU. The public functions check devices and types.
#[backend_extension(Flex)]
trait Products: Backend {
    fn product_half(x: FloatTensor<Self>, w: FloatTensor<Self>) -> FloatTensor<Self>;

    fn product_blocks(
        x: FloatTensor<Self>,
        codes: IntTensor<Self>,
        scales: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Weights, a line of inputs for each output.
enum Weights<'a> {
    F16(&'a [f16]),
    Bf16(&'a [bf16]),
    Q8 { codes: &'a [i8], scales: &'a [f16] },
    Q4 { codes: &'a [u8], scales: &'a [f16] },
}

impl Weights<'_> {
    /// The line of one of so many outputs, in f32.
    #[inline(always)]
    fn line(&self, output: usize, outputs: usize, line: &mut [f32]) {
        fn part<T>(of: &[T], output: usize, outputs: usize) -> &[T] {
            let width = of.len() / outputs;
            &of[output * width..(output + 1) * width]
        }
        match self {
            Self::F16(weights) => {
                part(weights, output, outputs).convert_to_f32_slice(line);
            }
            Self::Bf16(weights) => {
                for (out, weight) in line.iter_mut().zip(part(weights, output, outputs)) {
                    *out = f32::from_bits(u32::from(weight.to_bits()) << 16);
                }
            }
            Self::Q8 { codes, scales } => {
                decode_q8(part(codes, output, outputs), part(scales, output, outputs), line);
            }
            Self::Q4 { codes, scales } => {
                decode_q4(part(codes, output, outputs), part(scales, output, outputs), line);
            }
        }
    }

    /// `x w^T`, `[rows, outputs]`.
    fn product(&self, x: &FlexTensor, outputs: usize) -> FlexTensor {
        let [rows, inputs] = dims(x)[..] else { unreachable!("products are of matrices") };
        let product = match rows {
            ..=FEW => self.of_few(Numbers::of(x).slice(), rows, inputs, outputs),
            _ => self.of_many(x, rows, inputs, outputs),
        };
        tensor(product, [rows, outputs])
    }

    fn of_few(&self, x: &[f32], rows: usize, inputs: usize, outputs: usize) -> Vec<f32> {
        let mut by_output = vec![0.0; outputs * rows];
        let lines = (TASK / inputs.max(1)).max(1);
        let task = |(task, sums): (usize, &mut [f32])| {
            let mut line = vec![0.0; inputs];
            Arch::new().dispatch(|| {
                for (i, sums) in sums.chunks_exact_mut(rows).enumerate() {
                    self.line(task * lines + i, outputs, &mut line);
                    for (sum, x) in sums.iter_mut().zip(x.chunks_exact(inputs)) {
                        *sum = dot(x, &line);
                    }
                }
            });
        };
        if outputs <= lines {
            // Not worth waking a thread for.
            task((0, &mut by_output));
        } else {
            by_output.par_chunks_mut(lines * rows).enumerate().for_each(task);
        }
        match rows {
            1 => by_output,
            _ => (0..rows * outputs)
                .map(|at| by_output[at % outputs * rows + at / outputs])
                .collect(),
        }
    }

    fn of_many(&self, x: &FlexTensor, rows: usize, inputs: usize, outputs: usize) -> Vec<f32> {
        let mut product = vec![0.0; rows * outputs];
        for first in (0..outputs).step_by(PANEL) {
            let width = PANEL.min(outputs - first);
            let mut lines = vec![0.0; width * inputs];
            let filled = lines.par_chunks_exact_mut(inputs).enumerate();
            filled.for_each(|(i, line)| {
                Arch::new().dispatch(|| self.line(first + i, outputs, line));
            });
            let panel = tensor(lines, [width, inputs]).transpose(0, 1);
            let part = Flex::float_matmul(x.clone(), panel);
            let parts = product.chunks_exact_mut(outputs).zip(part.storage::<f32>().chunks(width));
            parts.for_each(|(row, part)| row[first..first + width].copy_from_slice(part));
        }
        product
    }
}

impl Products for Flex {
    fn product_half(x: FloatTensor<Self>, w: FloatTensor<Self>) -> FloatTensor<Self> {
        let (w, outputs) = (w.to_contiguous(), dims(&w)[0]);
        let weights = match w.dtype() {
            DType::F16 => Weights::F16(w.storage()),
            _ => Weights::Bf16(w.storage()),
        };
        weights.product(&x, outputs)
    }

    fn product_blocks(
        x: FloatTensor<Self>,
        codes: IntTensor<Self>,
        scales: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (codes, scales) = (codes.to_contiguous(), scales.to_contiguous());
        let (outputs, scales) = (dims(&codes)[0], scales.storage());
        let weights = match codes.dtype() {
            DType::I8 => Weights::Q8 { codes: codes.storage(), scales },
            _ => Weights::Q4 { codes: codes.storage(), scales },
        };
        weights.product(&x, outputs)
    }
}

pub(super) fn half(x: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::product_half(x.into_dispatch(), w.into_dispatch()))
}

pub(super) fn blocks(x: Tensor<2>, codes: Tensor<2, Int>, scales: Tensor<2>) -> Tensor<2> {
    let (x, codes, scales) = (x.into_dispatch(), codes.into_dispatch(), scales.into_dispatch());
    Tensor::from_dispatch(Dispatch::product_blocks(x, codes, scales))
}
