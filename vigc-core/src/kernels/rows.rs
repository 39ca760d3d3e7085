//! The operations on plain slices, a row at a time, in parallel over rows.

use pulp::Arch;
use rayon::prelude::*;

use super::math::{exp, gelu, gelu_slope, quick_gelu, quick_gelu_slope, sigmoid};

/// Numbers per task: enough to be worth a thread, few enough to stay in its cache.
const TASK: usize = 1 << 14;

/// Rows per task.
fn rows(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}

pub(super) fn map_gelu(x: &mut [f32]) {
    map(x, gelu);
}

/// `grad` becomes the gradient of the input.
pub(super) fn back_gelu(x: &[f32], grad: &mut [f32]) {
    back(x, grad, gelu_slope);
}

pub(super) fn map_quick_gelu(x: &mut [f32]) {
    map(x, quick_gelu);
}

/// `grad` becomes the gradient of the input.
pub(super) fn back_quick_gelu(x: &[f32], grad: &mut [f32]) {
    back(x, grad, quick_gelu_slope);
}

/// Applies a curve to every number.
#[inline(always)]
fn map(x: &mut [f32], curve: impl Fn(f32) -> f32 + Sync) {
    x.par_chunks_mut(TASK).for_each(|x| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for x in x {
                    *x = curve(*x);
                }
            },
        );
    });
}

/// Multiplies every gradient by a curve's slope at its input.
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

/// `gate` becomes the result.
pub(super) fn map_swiglu(gate: &mut [f32], up: &[f32]) {
    gate.par_chunks_mut(TASK).zip(up.par_chunks(TASK)).for_each(|(gate, up)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (gate, &up) in gate.iter_mut().zip(up) {
                    *gate = *gate * sigmoid(*gate) * up;
                }
            },
        );
    });
}

/// `grad` becomes the gradient of the gate, `out` that of `up`.
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

/// Rotates each token's heads by its angles, whose cosines and sines are `[tokens, head_dim / 2]`.
pub(super) fn map_rotate(
    x: &[f32],
    [cos, sin]: [&[f32]; 2],
    half: usize,
    direction: f32,
    out: &mut [f32],
) {
    let width = x.len() / (cos.len() / half);
    let tokens = rows(width);
    let angles = cos.par_chunks(tokens * half).zip(sin.par_chunks(tokens * half));
    let tasks = out.par_chunks_mut(tokens * width).zip(x.par_chunks(tokens * width)).zip(angles);
    tasks.for_each(|((out, x), (cos, sin))| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let tokens = out.chunks_exact_mut(width).zip(x.chunks_exact(width));
                let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
                for ((out, x), (cos, sin)) in tokens.zip(angles) {
                    let heads = out.chunks_exact_mut(2 * half).zip(x.chunks_exact(2 * half));
                    for (out, x) in heads {
                        let ((low, high), (x, y)) = (out.split_at_mut(half), x.split_at(half));
                        for i in 0..half {
                            let sin = direction * sin[i];
                            low[i] = x[i] * cos[i] - y[i] * sin;
                            high[i] = y[i] * cos[i] + x[i] * sin;
                        }
                    }
                }
            },
        );
    });
}

/// `[rows, width]` as `[width, rows]`.
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
                    turn(lines.map(|line| &line[from..]), &mut out[first..], rows);
                }
            },
        );
    });
    out
}

/// Numbers that are transposed at once: sixteen lines of sixteen.
const SQUARE: usize = 16;

/// Lines as columns of `out`, whose lines are `stride` apart.
#[inline(always)]
fn turn<'a>(lines: impl Iterator<Item = &'a [f32]>, out: &mut [f32], stride: usize) {
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
    let step = rows(width) * width;
    let sum = |x: &[f32]| {
        let mut sums = vec![0.0; width];
        for row in x.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        sums
    };
    // Collected before they are added: sums must not depend on which thread was first.
    let parts: Vec<_> = x.par_chunks(step.max(1)).map(sum).collect();
    let mut sums = vec![0.0; width];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sums
}

/// Sums in sixteen lanes, which vectorizes and is the same on every machine.
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

#[inline(always)]
fn total(a: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (a_lanes, a_rest) = a.as_chunks::<16>();
    for a in a_lanes {
        for i in 0..16 {
            lanes[i] += a[i];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().sum::<f32>()
}

#[inline(always)]
fn largest(a: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (a_lanes, a_rest) = a.as_chunks::<16>();
    for a in a_lanes {
        for i in 0..16 {
            lanes[i] = if a[i] > lanes[i] { a[i] } else { lanes[i] };
        }
    }
    lanes.iter().chain(a_rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The statistics of a row: its mean and the inverse of its deviation.
#[inline(always)]
fn moments(x: &[f32], centered: bool, epsilon: f32) -> [f32; 2] {
    let width = x.len() as f32;
    let mean = if centered { total(x) / width } else { 0.0 };
    let mut lanes = [0.0f32; 16];
    let (x_lanes, x_rest) = x.as_chunks::<16>();
    for x in x_lanes {
        for i in 0..16 {
            lanes[i] += (x[i] - mean) * (x[i] - mean);
        }
    }
    let rest: f32 = x_rest.iter().map(|x| (x - mean) * (x - mean)).sum();
    let variance = (lanes.iter().sum::<f32>() + rest) / width;
    [mean, 1.0 / (variance + epsilon).sqrt()]
}

/// Normalizes rows; without `beta` by their root mean square. Returns each row's statistics.
pub(super) fn map_norm(
    x: &[f32],
    gamma: &[f32],
    beta: Option<&[f32]>,
    epsilon: f32,
    out: &mut [f32],
) -> Vec<[f32; 2]> {
    let width = gamma.len();
    let step = rows(width) * width;
    let mut statistics = vec![[0.0; 2]; x.len() / width];
    let tasks = out.par_chunks_mut(step).zip(x.par_chunks(step));
    tasks.zip(statistics.par_chunks_mut(rows(width))).for_each(|((out, x), statistics)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let rows = out.chunks_exact_mut(width).zip(x.chunks_exact(width));
                for ((out, x), statistic) in rows.zip(statistics) {
                    *statistic = moments(x, beta.is_some(), epsilon);
                    let [mean, scale] = *statistic;
                    for ((out, &x), &gamma) in out.iter_mut().zip(x).zip(gamma) {
                        *out = (x - mean) * scale * gamma;
                    }
                    if let Some(beta) = beta {
                        for (out, &beta) in out.iter_mut().zip(beta) {
                            *out += beta;
                        }
                    }
                }
            },
        );
    });
    statistics
}

/// `grad` becomes the gradient of the input; returns those of `gamma` and `beta`.
pub(super) fn back_norm(
    x: &[f32],
    gamma: &[f32],
    statistics: &[[f32; 2]],
    centered: bool,
    grad: &mut [f32],
) -> (Vec<f32>, Vec<f32>) {
    let width = gamma.len();
    let step = rows(width) * width;
    let tasks = grad.par_chunks_mut(step).zip(x.par_chunks(step));
    let partial: Vec<_> = tasks
        .zip(statistics.par_chunks(rows(width)))
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

/// Below this part of the largest one, `exp(-40)`, a probability counts as none: single precision
/// would not notice it in a sum. What is masked comes out as zero and not as the smallest numbers
/// there are, which processors multiply a hundred times slower than others.
const FAINT: f32 = -40.0;

#[inline(always)]
pub(super) fn softmax(row: &mut [f32]) -> f32 {
    let top = largest(row);
    for value in row.iter_mut() {
        let below = *value - top;
        *value = if below < FAINT { 0.0 } else { exp(below) };
    }
    let sum = total(row);
    let inverse = 1.0 / sum;
    for value in row.iter_mut() {
        *value *= inverse;
    }
    top + sum.ln()
}

/// Turns rows of logits into probabilities in place; returns each row's loss.
pub(super) fn map_cross_entropy(logits: &mut [f32], width: usize, classes: &[usize]) -> Vec<f32> {
    let per_task = rows(width);
    let mut losses = vec![0.0; classes.len()];
    let tasks = logits.par_chunks_mut(per_task * width).zip(classes.par_chunks(per_task));
    tasks.zip(losses.par_chunks_mut(per_task)).for_each(|((logits, classes), losses)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let rows = logits.chunks_exact_mut(width).zip(classes);
                for ((row, &class), loss) in rows.zip(losses) {
                    let logit = row[class];
                    *loss = softmax(row) - logit;
                }
            },
        );
    });
    losses
}

/// `probabilities` become the gradient of the logits, given that of the losses.
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
