//! The operations on plain slices, a row at a time, in parallel over rows.

use pulp::Arch;
use rayon::prelude::*;

use super::math::{exp, gelu, gelu_slope, sigmoid};

/// Numbers per task: enough to be worth a thread, few enough to stay in its cache.
const TASK: usize = 1 << 14;

/// Rows per task.
fn rows(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}

pub(super) fn map_gelu(x: &[f32], out: &mut [f32]) {
    out.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).for_each(|(out, x)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = gelu(x);
                }
            },
        );
    });
}

/// `grad` becomes the gradient of the input.
pub(super) fn back_gelu(x: &[f32], grad: &mut [f32]) {
    grad.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).for_each(|(grad, x)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (grad, &x) in grad.iter_mut().zip(x) {
                    *grad *= gelu_slope(x);
                }
            },
        );
    });
}

pub(super) fn map_swiglu(gate: &[f32], up: &[f32], out: &mut [f32]) {
    let inputs = gate.par_chunks(TASK).zip(up.par_chunks(TASK));
    out.par_chunks_mut(TASK).zip(inputs).for_each(|(out, (gate, up))| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
                    *out = gate * sigmoid(gate) * up;
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

/// Where the bias of a row of scores lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct BiasShape {
    pub(super) heads: usize,
    pub(super) queries: usize,
    pub(super) batches: bool,
    pub(super) per_query: bool,
}

impl BiasShape {
    fn row(&self, row: usize) -> usize {
        let batch = if self.batches { row / (self.heads * self.queries) } else { 0 };
        if self.per_query { batch * self.queries + row % self.queries } else { batch }
    }
}

/// Turns scores, rows of `keys`, into attention weights in place.
pub(super) fn map_weights(
    scores: &mut [f32],
    keys: usize,
    bias: Option<(&[f32], BiasShape)>,
    scale: f32,
) {
    let per_task = rows(keys);
    scores.par_chunks_mut(per_task * keys).enumerate().for_each(|(task, scores)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (i, row) in scores.chunks_exact_mut(keys).enumerate() {
                    match bias {
                        Some((bias, shape)) => {
                            let at = shape.row(task * per_task + i) * keys;
                            for (score, &bias) in row.iter_mut().zip(&bias[at..at + keys]) {
                                *score = *score * scale + bias;
                            }
                        }
                        None => row.iter_mut().for_each(|score| *score *= scale),
                    }
                    softmax(row);
                }
            },
        );
    });
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

/// `grad`, the gradient of the weights, becomes that of the unscaled scores.
pub(super) fn back_weights(weights: &[f32], keys: usize, scale: f32, grad: &mut [f32]) {
    let step = rows(keys) * keys;
    grad.par_chunks_mut(step).zip(weights.par_chunks(step)).for_each(|(grad, weights)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (grad, weights) in grad.chunks_exact_mut(keys).zip(weights.chunks_exact(keys)) {
                    let mean = dot(grad, weights);
                    for (grad, &weight) in grad.iter_mut().zip(weights) {
                        *grad = scale * weight * (*grad - mean);
                    }
                }
            },
        );
    });
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
