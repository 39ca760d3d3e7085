//! The backward passes on slices, in parallel over rows.

use pulp::Arch;
use rayon::prelude::*;

use super::math::{gelu_slope, quick_gelu_slope, sigmoid};
use super::rows::{TASK, rows_per_task, total};

/// Turns the gradient of the output into that of the input.
pub(super) fn back_gelu(x: &[f32], grad: &mut [f32]) {
    back(x, grad, gelu_slope);
}

/// Turns the gradient of the output into that of the input.
pub(super) fn back_quick_gelu(x: &[f32], grad: &mut [f32]) {
    back(x, grad, quick_gelu_slope);
}

/// Multiplies every gradient by the slope at its input.
#[inline(always)]
fn back(x: &[f32], grad: &mut [f32], slope: impl Fn(f32) -> f32 + Sync) {
    grad.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).for_each(|(grad, x)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (grad, &x) in grad.iter_mut().zip(x) {
                    *grad *= slope(x);
                }
            },
        );
    });
}

/// Turns the gradient of the output into that of the gate, and writes that of `up` to `out`.
pub(super) fn back_swiglu(gate: &[f32], up: &[f32], grad: &mut [f32], out: &mut [f32]) {
    let inputs = gate.par_chunks(TASK).zip(up.par_chunks(TASK));
    let outputs = grad.par_chunks_mut(TASK).zip(out.par_chunks_mut(TASK));
    outputs.zip(inputs).for_each(|((grad, out), (gate, up))| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (((grad, out), &gate), &up) in grad.iter_mut().zip(out).zip(gate).zip(up) {
                    let open = sigmoid(gate);
                    *out = *grad * gate * open;
                    *grad *= up * open * (1.0 + gate * (1.0 - open));
                }
            },
        );
    });
}

/// Turns the gradient of the output into that of the input, and returns those of `gamma` and `beta`.
pub(super) fn back_norm(
    x: &[f32],
    gamma: &[f32],
    statistics: &[[f32; 2]],
    centered: bool,
    grad: &mut [f32],
) -> (Vec<f32>, Vec<f32>) {
    let width = gamma.len();
    let step = rows_per_task(width) * width;
    let tasks = grad.par_chunks_mut(step).zip(x.par_chunks(step));
    let partial: Vec<_> = tasks
        .zip(statistics.par_chunks(rows_per_task(width)))
        .map(|((grad, x), statistics)| {
            let mut sums = (vec![0.0; width], vec![0.0; width]);
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    let rows = grad.chunks_exact_mut(width).zip(x.chunks_exact(width));
                    for ((grad, x), &statistic) in rows.zip(statistics) {
                        back_norm_row(x, gamma, statistic, centered, grad, &mut sums);
                    }
                },
            );
            sums
        })
        .collect();
    let mut sums = (vec![0.0; width], vec![0.0; width]);
    for (gammas, betas) in partial {
        sums.0.iter_mut().zip(gammas).for_each(|(sum, part)| *sum += part);
        sums.1.iter_mut().zip(betas).for_each(|(sum, part)| *sum += part);
    }
    sums
}

#[inline(always)]
fn back_norm_row(
    x: &[f32],
    gamma: &[f32],
    [mean, scale]: [f32; 2],
    centered: bool,
    grad: &mut [f32],
    sums: &mut (Vec<f32>, Vec<f32>),
) {
    for ((((grad, &x), &gamma), in_gamma), in_beta) in
        grad.iter_mut().zip(x).zip(gamma).zip(&mut sums.0).zip(&mut sums.1)
    {
        *in_gamma += *grad * (x - mean) * scale;
        *in_beta += *grad;
        *grad *= gamma;
    }
    let width = x.len() as f32;
    let sum = total(grad);
    let along = (dot(grad, x) - mean * sum) * scale / width;
    let shift = if centered { sum / width } else { 0.0 };
    for (grad, &x) in grad.iter_mut().zip(x) {
        *grad = scale * (*grad - shift - (x - mean) * scale * along);
    }
}

/// Turns probabilities into the gradient of the logits, given that of the losses.
pub(super) fn back_cross_entropy(
    probabilities: &mut [f32],
    width: usize,
    classes: &[usize],
    grad: &[f32],
) {
    let rows = probabilities.par_chunks_exact_mut(width).zip(classes).zip(grad);
    rows.for_each(|((row, &class), &grad)| {
        row[class] -= 1.0;
        row.iter_mut().for_each(|value| *value *= grad);
    });
}

/// Transposes `[rows, width]` to `[width, rows]`.
pub(super) fn transposed(x: &[f32], width: usize) -> Vec<f32> {
    let rows = x.len() / width.max(1);
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut((SQUARE * rows).max(1)).enumerate().for_each(|(square, out)| {
        let from = square * SQUARE;
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for first in (0..rows).step_by(SQUARE) {
                    let lines = x[first * width..].chunks_exact(width).take(SQUARE);
                    transpose_square(lines.map(|line| &line[from..]), &mut out[first..], rows);
                }
            },
        );
    });
    out
}

/// The width of the squares that are transposed at once.
const SQUARE: usize = 16;

/// Writes lines as columns of `out`, whose lines are `stride` apart.
#[inline(always)]
fn transpose_square<'a>(lines: impl Iterator<Item = &'a [f32]>, out: &mut [f32], stride: usize) {
    let mut square = [[0.0; SQUARE]; SQUARE];
    let mut count = 0;
    for (column, line) in lines.enumerate() {
        for (numbers, &number) in square.iter_mut().zip(line) {
            numbers[column] = number;
        }
        count = column + 1;
    }
    for (out, numbers) in out.chunks_mut(stride).zip(&square) {
        if count == SQUARE {
            out[..SQUARE].copy_from_slice(numbers);
        } else {
            out[..count].copy_from_slice(&numbers[..count]);
        }
    }
}

/// The sum of all rows.
pub(super) fn sum_of_rows(x: &[f32], width: usize) -> Vec<f32> {
    let step = rows_per_task(width) * width;
    let sum = |x: &[f32]| {
        let mut sums = vec![0.0; width];
        for row in x.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        sums
    };
    // Partial sums are collected before they are added, so the result does not depend on which thread was first.
    let parts: Vec<_> = x.par_chunks(step.max(1)).map(sum).collect();
    let mut sums = vec![0.0; width];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sums
}

/// The dot product, summed in sixteen lanes: that vectorizes, and the result is the same on every machine.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (a_lanes, a_rest) = a.as_chunks::<16>();
    let (b_lanes, b_rest) = b.as_chunks::<16>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for i in 0..16 {
            lanes[i] += a[i] * b[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}
