//! Attention over tensors of heads.
//!
//! A task is one head of one row of the batch, whose keys and values stay in a core's cache. Tiles of queries pass over the
//! pages of sixteen keys that one of them attends to. Keys that a bias hides from all of them, such as other texts in a packed
//! row of training, cost nothing.

use std::ops::Range;

use burn::backend::flex::FlexTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::heads::{Heads, Place, Sizes, resize_zeroed};
use super::mask::Mask;
use super::paged::PAGE;
use crate::kernels::panels::format::PANEL;
use crate::kernels::panels::isa::Matrix;
use crate::kernels::rows::softmax;
use crate::kernels::tensors::{dims, tensor};

/// `softmax(q k^T * scale + bias) v`. A bias without keys is none.
pub(in crate::kernels) fn attention(
    q: &FlexTensor,
    k: &FlexTensor,
    v: &FlexTensor,
    bias: &FlexTensor,
    scale: f32,
) -> FlexTensor {
    Attention::new([q, k, v], bias, scale).compute().transpose(1, 2)
}

/// The same for one projection of queries, keys and values, `[batch, seq, 3, heads, head_dim]`. The output is
/// `[batch, seq, heads, head_dim]`.
pub(in crate::kernels) fn self_attention(qkv: &FlexTensor, scale: f32) -> FlexTensor {
    Attention::of_projection(qkv, scale).compute()
}

/// An attention to be computed.
pub(super) struct Attention {
    pub(super) sizes: Sizes,
    pub(super) q: Heads,
    pub(super) k: Heads,
    pub(super) v: Heads,
    pub(super) mask: Mask,
    pub(super) scale: f32,
}

impl Attention {
    pub(super) fn new([q, k, v]: [&FlexTensor; 3], bias: &FlexTensor, scale: f32) -> Self {
        let [batch, heads, queries, head_dim] = dims(q)[..] else {
            unreachable!("heads have four axes")
        };
        let sizes = Sizes { batch, heads, queries, keys: dims(k)[2], head_dim };
        let mask = Mask::new(bias, sizes);
        Self { sizes, q: Heads::of(q), k: Heads::of(k), v: Heads::of(v), mask, scale }
    }

    /// The attention of one projection, `[batch, seq, 3, heads, head_dim]`.
    pub(super) fn of_projection(qkv: &FlexTensor, scale: f32) -> Self {
        let [batch, seq, _, heads, head_dim] = dims(qkv)[..] else {
            unreachable!("a projection of heads has five axes")
        };
        let sizes = Sizes { batch, heads, queries: seq, keys: seq, head_dim };
        let mask = Mask::new(&tensor(Vec::new(), [1, 1, 1, 0]), sizes);
        let qkv = qkv.to_contiguous();
        let [q, k, v] = [0, 1, 2].map(|part| Heads::of_projection(&qkv, part, sizes));
        Self { sizes, q, k, v, mask, scale }
    }

    /// `[batch, queries, heads, head_dim]`.
    fn compute(&self) -> FlexTensor {
        let Sizes { batch, heads, queries, head_dim, .. } = self.sizes;
        let mut out = vec![0.0; batch * heads * queries * head_dim];
        let tasks = self.sizes.places().zip(self.sizes.split_by_head(&mut out, heads));
        tasks.for_each_init(Scratch::default, |scratch, (place, out)| {
            self.compute_head(place, out, scratch);
        });
        tensor(out, [batch, queries, heads, head_dim])
    }

    fn compute_head(&self, place: Place, mut out: Vec<&mut [f32]>, scratch: &mut Scratch) {
        let Scratch { keys, values, weights, sums } = scratch;
        let Sizes { keys: rows, head_dim, .. } = self.sizes;
        self.k.panels(place, rows, head_dim, keys);
        self.v.lines(place, rows, head_dim, values);
        for (tile, queries) in self.sizes.tiles().enumerate() {
            let runs = self.mask.runs(place, tile);
            self.weights(place, queries.clone(), runs, keys, weights);
            self.sum_lines(values, runs, weights, queries.len(), sums);
            let sums = sums.chunks_exact(self.sizes.width());
            for (out, sums) in out[queries].iter_mut().zip(sums) {
                out.copy_from_slice(&sums[..head_dim]);
            }
        }
    }

    /// Computes the attention weights of some queries for the keys of some runs of pages, `[queries, 16 × pages]`.
    pub(super) fn weights(
        &self,
        place: Place,
        queries: Range<usize>,
        runs: &[Range<usize>],
        keys: &[f32],
        weights: &mut Vec<f32>,
    ) {
        let q = self.q.from(place, queries.start);
        self.multiply_panels((q, self.q.row()), keys, runs, queries.len(), weights);
        let width = weights.len() / queries.len();
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (weights, query) in weights.chunks_exact_mut(width.max(1)).zip(queries) {
                    let bias = self.mask.row(place, query);
                    softmax_of_runs(weights, runs, bias, self.sizes.keys, self.scale);
                }
            },
        );
    }

    /// Multiplies rows with the panels of some runs of pages, `[rows, 16 × pages]`.
    pub(super) fn multiply_panels(
        &self,
        (x, x_row): (&[f32], usize),
        panels: &[f32],
        runs: &[Range<usize>],
        rows: usize,
        products: &mut Vec<f32>,
    ) {
        let panel = self.sizes.head_dim * PANEL;
        let width = runs.iter().map(Range::len).sum::<usize>() * PAGE;
        resize_zeroed(products, rows * width);
        let mut at = 0;
        for run in runs {
            let panels = Matrix {
                numbers: &panels[run.start * panel..],
                panel,
                unit: PANEL,
                units: self.sizes.head_dim,
                panels: run.len(),
            };
            panels.add(x, x_row, rows, &mut products[at..], width);
            at += run.len() * PAGE;
        }
    }

    /// Computes weighted sums of the lines of some runs of pages, `[rows, width]`.
    pub(super) fn sum_lines(
        &self,
        lines: &[f32],
        runs: &[Range<usize>],
        weights: &[f32],
        rows: usize,
        sums: &mut Vec<f32>,
    ) {
        let (width, x_row) = (self.sizes.width(), weights.len() / rows);
        resize_zeroed(sums, rows * width);
        let mut at = 0;
        for run in runs {
            let keys = run.start * PAGE..(run.end * PAGE).min(self.sizes.keys);
            add_lines(lines, keys, width, (&weights[at..], x_row), rows, sums);
            at += run.len() * PAGE;
        }
    }
}

/// Adds weighted lines to the sums of some rows.
pub(super) fn add_lines(
    lines: &[f32],
    of: Range<usize>,
    width: usize,
    (weights, row): (&[f32], usize),
    rows: usize,
    sums: &mut [f32],
) {
    let lines = Matrix {
        numbers: &lines[of.start * width..],
        panel: PANEL,
        unit: width,
        units: of.len(),
        panels: width / PANEL,
    };
    lines.add(weights, row, rows, sums, width);
}

/// A thread's buffers, kept from one head to the next.
#[derive(Debug, Default)]
struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    weights: Vec<f32>,
    sums: Vec<f32>,
}

/// Turns a row of scores for the keys of some runs of pages into weights.
#[inline(always)]
fn softmax_of_runs(
    scores: &mut [f32],
    runs: &[Range<usize>],
    bias: Option<&[f32]>,
    keys: usize,
    scale: f32,
) {
    let mut rest = &mut *scores;
    for run in runs {
        let (of_run, after) = rest.split_at_mut(run.len() * PAGE);
        rest = after;
        let keys = run.start * PAGE..(run.end * PAGE).min(keys);
        let (seen, padding) = of_run.split_at_mut(keys.len());
        match bias {
            Some(bias) => {
                for (score, bias) in seen.iter_mut().zip(&bias[keys]) {
                    *score = *score * scale + bias;
                }
            }
            None => seen.iter_mut().for_each(|score| *score *= scale),
        }
        padding.fill(f32::NEG_INFINITY);
    }
    softmax(scores);
}
