//! The forward passes on slices, in parallel over rows.

use pulp::Arch;
use rayon::prelude::*;

use super::math::{exp, gelu, quick_gelu, sigmoid};

/// Numbers per task: enough to be worth a task, few enough to stay in a core's cache.
pub(super) const TASK: usize = 1 << 14;

/// Rows per task.
pub(super) fn rows_per_task(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}

pub(super) fn map_gelu(x: &mut [f32]) {
    map(x, gelu);
}

pub(super) fn map_quick_gelu(x: &mut [f32]) {
    map(x, quick_gelu);
}

/// Applies a function to every number.
#[inline(always)]
fn map(x: &mut [f32], function: impl Fn(f32) -> f32 + Sync) {
    x.par_chunks_mut(TASK).for_each(|x| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for x in x {
                    *x = function(*x);
                }
            },
        );
    });
}

/// Writes the result to `gate`.
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

/// Rotates the heads of each token by its angles. Cosines and sines are `[tokens, head_dim / 2]`.
pub(super) fn map_rotate(
    x: &[f32],
    [cos, sin]: [&[f32]; 2],
    half: usize,
    direction: f32,
    out: &mut [f32],
) {
    let width = x.len() / (cos.len() / half);
    let tokens = rows_per_task(width);
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

/// The sum, in sixteen lanes.
#[inline(always)]
pub(super) fn total(a: &[f32]) -> f32 {
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

/// The statistics of a row: its mean, and the inverse of its standard deviation.
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

/// Normalizes rows, and returns the statistics of each. Without `beta` this is a root mean square norm.
pub(super) fn map_norm(
    x: &[f32],
    gamma: &[f32],
    beta: Option<&[f32]>,
    epsilon: f32,
    out: &mut [f32],
) -> Vec<[f32; 2]> {
    let width = gamma.len();
    let step = rows_per_task(width) * width;
    let mut statistics = vec![[0.0; 2]; x.len() / width];
    let tasks = out.par_chunks_mut(step).zip(x.par_chunks(step));
    tasks.zip(statistics.par_chunks_mut(rows_per_task(width))).for_each(
        |((out, x), statistics)| {
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
        },
    );
    statistics
}

/// Scores further than this below the largest one get the probability 0: single precision loses `exp(-40)` in any sum.
/// Masked scores thus become zeros and not denormal numbers, which processors multiply a hundred times slower.
const NEGLIGIBLE: f32 = -40.0;

/// Turns scores into probabilities in place, and returns the logarithm of the sum of their exponentials.
#[inline(always)]
pub(super) fn softmax(row: &mut [f32]) -> f32 {
    let top = largest(row);
    for value in row.iter_mut() {
        let below = *value - top;
        *value = if below < NEGLIGIBLE { 0.0 } else { exp(below) };
    }
    let sum = total(row);
    let inverse = 1.0 / sum;
    for value in row.iter_mut() {
        *value *= inverse;
    }
    top + sum.ln()
}

/// Turns rows of logits into probabilities in place, and returns the loss of each row.
pub(super) fn map_cross_entropy(logits: &mut [f32], width: usize, classes: &[usize]) -> Vec<f32> {
    let per_task = rows_per_task(width);
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
