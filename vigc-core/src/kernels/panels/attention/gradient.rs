//! The gradients of an attention. The attention weights are recomputed instead of being kept.

use std::mem::take;
use std::ops::Range;

use burn::backend::flex::FlexTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::forward::{Attention, add_lines};
use super::heads::{Heads, Place, Sizes, resize_zeroed};
use super::mask::merged;
use super::paged::PAGE;
use crate::kernels::panels::tile::row_tiles;
use crate::kernels::row_gradients::dot;
use crate::kernels::tensors::tensor;

/// The gradients of queries, keys and values, given that of the output.
pub(in crate::kernels) fn attention_gradients(
    inputs: [&FlexTensor; 3],
    bias: &FlexTensor,
    scale: f32,
    grad: &FlexTensor,
) -> [FlexTensor; 3] {
    let attention = Attention::new(inputs, bias, scale);
    let sizes = attention.sizes;
    let Sizes { batch, heads, queries, keys, head_dim } = sizes;
    let [mut q, mut k, mut v] =
        [queries, keys, keys].map(|rows| vec![0.0; batch * heads * rows * head_dim]);
    let rows = sizes.split_by_head(&mut q, heads).into_iter();
    let rows = rows.zip(sizes.split_by_head(&mut k, heads)).zip(sizes.split_by_head(&mut v, heads));
    let rows = rows.map(|((q, k), v)| Rows { q, k, v }).collect();
    Gradients { grad: Heads::of(grad), attention }.compute(rows);
    [(q, queries), (k, keys), (v, keys)]
        .map(|(numbers, rows)| tensor(numbers, [batch, rows, heads, head_dim]).transpose(1, 2))
}

/// The gradient of one projection, `[batch, seq, 3, heads, head_dim]`, given that of `[batch, seq, heads, head_dim]`.
pub(in crate::kernels) fn self_attention_gradient(
    qkv: &FlexTensor,
    scale: f32,
    grad: &FlexTensor,
) -> FlexTensor {
    let attention = Attention::of_projection(qkv, scale);
    let sizes = attention.sizes;
    let Sizes { batch, heads, queries, head_dim, .. } = sizes;
    let mut out = vec![0.0; 3 * batch * heads * queries * head_dim];
    let mut split = sizes.split_by_head(&mut out, 3 * heads);
    let mut rows = Vec::with_capacity(batch * heads);
    for of_batch in split.chunks_exact_mut((3 * heads).max(1)) {
        for head in 0..heads {
            let [q, k, v] = [0, 1, 2].map(|part| take(&mut of_batch[part * heads + head]));
            rows.push(Rows { q, k, v });
        }
    }
    Gradients { grad: Heads::of(&grad.transpose(1, 2)), attention }.compute(rows);
    tensor(out, [batch, queries, 3, heads, head_dim])
}

struct Gradients {
    attention: Attention,
    grad: Heads,
}

/// The rows of a head's gradients.
struct Rows<'a> {
    q: Vec<&'a mut [f32]>,
    k: Vec<&'a mut [f32]>,
    v: Vec<&'a mut [f32]>,
}

/// A thread's buffers, kept from one head to the next.
#[derive(Debug, Default)]
struct Scratch {
    /// Keys and values as panels.
    keys: Vec<f32>,
    values: Vec<f32>,
    /// Keys, queries and the gradients of the output, as lines.
    key_lines: Vec<f32>,
    query_lines: Vec<f32>,
    grad_lines: Vec<f32>,
    /// Of a tile of queries: `[queries, 16 × pages]`.
    weights: Vec<f32>,
    slopes: Vec<f32>,
    /// Of all queries: `[keys, queries]`.
    weights_of_keys: Vec<f32>,
    slopes_of_keys: Vec<f32>,
    sums: Vec<f32>,
}

impl Gradients {
    /// Computes the gradients of every head.
    fn compute(&self, rows: Vec<Rows<'_>>) {
        let tasks = self.attention.sizes.places().zip(rows);
        tasks.for_each_init(Scratch::default, |scratch, (place, mut rows)| {
            self.copy_inputs(place, scratch);
            self.query_gradients(place, &mut rows.q, scratch);
            self.key_gradients(place, &mut rows, scratch);
        });
    }

    fn copy_inputs(&self, place: Place, scratch: &mut Scratch) {
        let Attention { q, k, v, sizes, .. } = &self.attention;
        let Sizes { queries, keys, head_dim, .. } = *sizes;
        k.panels(place, keys, head_dim, &mut scratch.keys);
        v.panels(place, keys, head_dim, &mut scratch.values);
        k.lines(place, keys, head_dim, &mut scratch.key_lines);
        q.lines(place, queries, head_dim, &mut scratch.query_lines);
        self.grad.lines(place, queries, head_dim, &mut scratch.grad_lines);
        // Only entries that a tile has written are read.
        let of_keys = sizes.pages() * PAGE * queries;
        scratch.weights_of_keys.resize(of_keys, 0.0);
        scratch.slopes_of_keys.resize(of_keys, 0.0);
    }

    /// Computes the gradients of the queries. Weights and slopes are kept, transposed, for those of the keys.
    fn query_gradients(&self, place: Place, out: &mut [&mut [f32]], scratch: &mut Scratch) {
        let Attention { sizes, mask, scale, .. } = &self.attention;
        let Scratch { weights, slopes, sums, .. } = scratch;
        for (tile, queries) in sizes.tiles().enumerate() {
            let (runs, rows) = (mask.runs(place, tile), queries.len());
            self.attention.weights(place, queries.clone(), runs, &scratch.keys, weights);
            let grad = (self.grad.from(place, queries.start), self.grad.row());
            self.attention.multiply_panels(grad, &scratch.values, runs, rows, slopes);
            let width = slopes.len() / rows;
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    let rows = slopes.chunks_exact_mut(width.max(1));
                    for (slopes, weights) in rows.zip(weights.chunks_exact(width.max(1))) {
                        let mean = dot(slopes, weights);
                        for (slope, weight) in slopes.iter_mut().zip(weights) {
                            *slope = scale * weight * (*slope - mean);
                        }
                    }
                    let at = (queries.clone(), sizes.queries);
                    transpose(weights, runs, at.clone(), &mut scratch.weights_of_keys);
                    transpose(slopes, runs, at, &mut scratch.slopes_of_keys);
                },
            );
            self.attention.sum_lines(&scratch.key_lines, runs, slopes, rows, sums);
            copy(sums, sizes.width(), &mut out[queries]);
        }
    }

    /// Computes the gradients of the keys and values.
    fn key_gradients(&self, place: Place, rows: &mut Rows<'_>, scratch: &mut Scratch) {
        let sizes = self.attention.sizes;
        let Scratch { query_lines, grad_lines, weights_of_keys, slopes_of_keys, sums, .. } =
            scratch;
        for (page, seen) in self.seen(place).iter().enumerate() {
            for keys in row_tiles(PAGE.min(sizes.keys - page * PAGE)) {
                let keys = page * PAGE + keys.start..page * PAGE + keys.end;
                let of_values = (&*weights_of_keys, &*grad_lines, &mut rows.v);
                let of_keys = (&*slopes_of_keys, &*query_lines, &mut rows.k);
                for (factors, lines, out) in [of_values, of_keys] {
                    resize_zeroed(sums, keys.len() * sizes.width());
                    for queries in seen {
                        let factors = &factors[keys.start * sizes.queries + queries.start..];
                        let factors = (factors, sizes.queries);
                        add_lines(lines, queries.clone(), sizes.width(), factors, keys.len(), sums);
                    }
                    copy(sums, sizes.width(), &mut out[keys.clone()]);
                }
            }
        }
    }

    /// The queries that attend to each page.
    fn seen(&self, place: Place) -> Vec<Vec<Range<usize>>> {
        let Attention { sizes, mask, .. } = &self.attention;
        let of_page = |page: usize| {
            let sees = |tile| mask.runs(place, tile).iter().any(|run| run.contains(&page));
            let tiles = sizes.tiles().enumerate();
            merged(tiles.filter(|&(tile, _)| sees(tile)).map(|(_, queries)| queries))
        };
        (0..sizes.pages()).map(of_page).collect()
    }
}

/// Copies the rows of a tile, `[queries, 16 × pages]`, to a transposed buffer, `[keys, all queries]`.
#[inline(always)]
fn transpose(
    rows: &[f32],
    runs: &[Range<usize>],
    (queries, all): (Range<usize>, usize),
    transposed: &mut [f32],
) {
    let width = rows.len() / queries.len();
    let keys = runs.iter().flat_map(|run| run.start * PAGE..run.end * PAGE);
    for (at, key) in keys.enumerate() {
        let transposed = &mut transposed[key * all + queries.start..][..queries.len()];
        for (row, transposed) in transposed.iter_mut().enumerate() {
            *transposed = rows[row * width + at];
        }
    }
}

fn copy(sums: &[f32], width: usize, rows: &mut [&mut [f32]]) {
    for (row, sums) in rows.iter_mut().zip(sums.chunks_exact(width)) {
        row.copy_from_slice(&sums[..row.len()]);
    }
}
