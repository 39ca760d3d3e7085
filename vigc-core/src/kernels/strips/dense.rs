//! Attention over tensors of heads, and its gradients.
//!
//! A task is one head of one row of the batch, whose keys and values stay in the core's cache. Tiles of queries pass over the
//! pages of sixteen keys that one of them sees; what a bias hides from all of them, as other texts in a row of training,
//! costs nothing.

#[cfg(feature = "train")]
mod gradient;
mod mask;

use std::ops::Range;

use burn::backend::flex::{FlexTensor, Layout};
use pulp::Arch;
use rayon::prelude::*;

#[cfg(feature = "train")]
pub(in super::super) use gradient::{attention_gradients, self_attention_gradient};

use mask::Mask;

use super::STRIP;
use super::pages::PAGE;
use super::tile::{Matrix, parts};
use crate::kernels::backend::{dims, tensor};
use crate::kernels::rows::softmax;

/// `softmax(q k^T * scale + bias) v`; a bias of no keys is none.
pub(in super::super) fn attention(
    q: &FlexTensor,
    k: &FlexTensor,
    v: &FlexTensor,
    bias: &FlexTensor,
    scale: f32,
) -> FlexTensor {
    Attention::new([q, k, v], bias, scale).mix().transpose(1, 2)
}

/// The same for heads of one projection, `[batch, seq, 3, heads, head_dim]`, as `[batch, seq, heads, head_dim]`.
pub(in super::super) fn self_attention(qkv: &FlexTensor, scale: f32) -> FlexTensor {
    Attention::of_one(qkv, scale).mix()
}

/// An attention to be computed.
struct Attention {
    sizes: Sizes,
    q: Heads,
    k: Heads,
    v: Heads,
    mask: Mask,
    scale: f32,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    batch: usize,
    heads: usize,
    queries: usize,
    keys: usize,
    head_dim: usize,
}

/// One head of one row of the batch.
#[derive(Debug, Clone, Copy)]
struct Place {
    batch: usize,
    head: usize,
}

impl Sizes {
    /// The width of a head in whole strips.
    fn width(self) -> usize {
        self.head_dim.next_multiple_of(STRIP)
    }

    fn pages(self) -> usize {
        self.keys.div_ceil(PAGE)
    }

    /// The queries of each tile.
    fn tiles(self) -> impl Iterator<Item = Range<usize>> {
        parts(self.queries)
    }

    fn places(self) -> impl IndexedParallelIterator<Item = Place> {
        let place = move |task| Place { batch: task / self.heads, head: task % self.heads };
        (0..self.batch * self.heads).into_par_iter().map(place)
    }

    /// The rows of every head of `[batch, rows, heads, head_dim]`: so laid out, heads can be joined without a copy.
    fn deal(self, numbers: &mut [f32], heads: usize) -> Vec<Vec<&mut [f32]>> {
        let rows = numbers.len() / (self.batch * heads * self.head_dim).max(1);
        let dealt = (0..self.batch * heads).map(|_| Vec::with_capacity(rows));
        let mut dealt: Vec<Vec<&mut [f32]>> = dealt.collect();
        for (i, row) in numbers.chunks_exact_mut(self.head_dim.max(1)).enumerate() {
            let batch = i / (rows * heads);
            dealt[batch * heads + i % heads].push(row);
        }
        dealt
    }
}

impl Attention {
    fn new([q, k, v]: [&FlexTensor; 3], bias: &FlexTensor, scale: f32) -> Self {
        let [batch, heads, queries, head_dim] = dims(q)[..] else {
            unreachable!("heads have four axes")
        };
        let sizes = Sizes { batch, heads, queries, keys: dims(k)[2], head_dim };
        let mask = Mask::new(bias, sizes);
        Self { sizes, q: Heads::of(q), k: Heads::of(k), v: Heads::of(v), mask, scale }
    }

    /// Queries, keys and values side by side.
    fn of_one(qkv: &FlexTensor, scale: f32) -> Self {
        let [batch, seq, _, heads, head_dim] = dims(qkv)[..] else {
            unreachable!("a projection of heads has five axes")
        };
        let sizes = Sizes { batch, heads, queries: seq, keys: seq, head_dim };
        let mask = Mask::new(&tensor(Vec::new(), [1, 1, 1, 0]), sizes);
        let qkv = qkv.to_contiguous();
        let width = heads * head_dim;
        let [q, k, v] = [0, 1, 2].map(|part| Heads {
            tensor: qkv.clone(),
            start: part * width,
            strides: [3 * seq * width, head_dim, 3 * width],
        });
        Self { sizes, q, k, v, mask, scale }
    }

    /// `[batch, queries, heads, head_dim]`.
    fn mix(&self) -> FlexTensor {
        let Sizes { batch, heads, queries, head_dim, .. } = self.sizes;
        let mut out = vec![0.0; batch * heads * queries * head_dim];
        let tasks = self.sizes.places().zip(self.sizes.deal(&mut out, heads));
        tasks.for_each_init(Scratch::default, |scratch, (place, out)| {
            self.mix_head(place, out, scratch);
        });
        tensor(out, [batch, queries, heads, head_dim])
    }

    fn mix_head(&self, place: Place, mut out: Vec<&mut [f32]>, scratch: &mut Scratch) {
        let Scratch { keys, values, weights, sums } = scratch;
        let Sizes { keys: rows, head_dim, .. } = self.sizes;
        self.k.strips(place, rows, head_dim, keys);
        self.v.lines(place, rows, head_dim, values);
        for (tile, queries) in self.sizes.tiles().enumerate() {
            let runs = self.mask.runs(place, tile);
            self.weigh(place, queries.clone(), runs, keys, weights);
            self.mix_lines(values, runs, weights, queries.len(), sums);
            let sums = sums.chunks_exact(self.sizes.width());
            for (out, sums) in out[queries].iter_mut().zip(sums) {
                out.copy_from_slice(&sums[..head_dim]);
            }
        }
    }

    /// The weights of some queries for the keys of some pages, `[queries, 16 pages]`.
    fn weigh(
        &self,
        place: Place,
        queries: Range<usize>,
        runs: &[Range<usize>],
        keys: &[f32],
        weights: &mut Vec<f32>,
    ) {
        let q = self.q.from(place, queries.start);
        self.multiply_strips((q, self.q.row()), keys, runs, queries.len(), weights);
        let width = weights.len() / queries.len();
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (weights, query) in weights.chunks_exact_mut(width.max(1)).zip(queries) {
                    let bias = self.mask.row(place, query);
                    weigh(weights, runs, bias, self.sizes.keys, self.scale);
                }
            },
        );
    }

    /// Products of rows with strips of some pages, `[rows, 16 pages]`.
    fn multiply_strips(
        &self,
        (x, x_row): (&[f32], usize),
        strips: &[f32],
        runs: &[Range<usize>],
        rows: usize,
        products: &mut Vec<f32>,
    ) {
        let strip = self.sizes.head_dim * STRIP;
        let width = runs.iter().map(Range::len).sum::<usize>() * PAGE;
        refill(products, rows * width);
        let mut at = 0;
        for run in runs {
            let strips = Matrix {
                numbers: &strips[run.start * strip..],
                strip,
                unit: STRIP,
                units: self.sizes.head_dim,
                strips: run.len(),
            };
            strips.add(x, x_row, rows, &mut products[at..], width);
            at += run.len() * PAGE;
        }
    }

    /// Sums of lines of some pages, weighted, `[rows, width]`.
    fn mix_lines(
        &self,
        lines: &[f32],
        runs: &[Range<usize>],
        weights: &[f32],
        rows: usize,
        sums: &mut Vec<f32>,
    ) {
        let (width, x_row) = (self.sizes.width(), weights.len() / rows);
        refill(sums, rows * width);
        let mut at = 0;
        for run in runs {
            let keys = run.start * PAGE..(run.end * PAGE).min(self.sizes.keys);
            add_lines(lines, keys, width, (&weights[at..], x_row), rows, sums);
            at += run.len() * PAGE;
        }
    }
}

/// Adds lines, weighted, to the sums of some rows.
fn add_lines(
    lines: &[f32],
    of: Range<usize>,
    width: usize,
    (weights, row): (&[f32], usize),
    rows: usize,
    sums: &mut [f32],
) {
    let lines = Matrix {
        numbers: &lines[of.start * width..],
        strip: STRIP,
        unit: width,
        units: of.len(),
        strips: width / STRIP,
    };
    lines.add(weights, row, rows, sums, width);
}

/// What a thread needs for a head, kept from one to the next.
#[derive(Debug, Default)]
struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    weights: Vec<f32>,
    sums: Vec<f32>,
}

fn refill(numbers: &mut Vec<f32>, len: usize) {
    numbers.clear();
    numbers.resize(len, 0.0);
}

/// Turns a row of scores for the keys of some pages into weights.
#[inline(always)]
fn weigh(scores: &mut [f32], runs: &[Range<usize>], bias: Option<&[f32]>, keys: usize, scale: f32) {
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

/// A tensor of heads, `[batch, heads, rows, head_dim]`, wherever its numbers lie.
struct Heads {
    tensor: FlexTensor,
    start: usize,
    strides: [usize; 3],
}

impl Heads {
    /// Heads whose numbers lie side by side.
    fn of(tensor: &FlexTensor) -> Self {
        let is_plain =
            |layout: &Layout| layout.strides().iter().all(|&s| s >= 0) && layout.strides()[3] == 1;
        let tensor =
            if is_plain(tensor.layout()) { tensor.clone() } else { tensor.to_contiguous() };
        let strides = [0, 1, 2].map(|axis| tensor.layout().strides()[axis].unsigned_abs());
        Self { start: tensor.layout().start_offset(), tensor, strides }
    }

    /// Numbers between rows.
    fn row(&self) -> usize {
        self.strides[2]
    }

    /// The numbers from a row of a head on.
    fn from(&self, place: Place, row: usize) -> &[f32] {
        let [of_batch, of_head, of_row] = self.strides;
        let at = place.batch * of_batch + place.head * of_head + row * of_row;
        &self.tensor.storage::<f32>()[self.start + at..]
    }

    /// A head's rows as strips of sixteen, `[pages, head_dim, 16]`.
    fn strips(&self, place: Place, rows: usize, head_dim: usize, strips: &mut Vec<f32>) {
        refill(strips, rows.div_ceil(PAGE) * head_dim * PAGE);
        let strips = strips.chunks_exact_mut((head_dim * PAGE).max(1));
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (page, strip) in strips.enumerate() {
                    let lanes = PAGE.min(rows - page * PAGE);
                    let from = self.from(place, page * PAGE);
                    for lane in 0..lanes {
                        let row = &from[lane * self.row()..][..head_dim];
                        for (numbers, &number) in
                            strip.as_chunks_mut::<PAGE>().0.iter_mut().zip(row)
                        {
                            numbers[lane] = number;
                        }
                    }
                }
            },
        );
    }

    /// A head's rows one after the other, `[rows, width]`.
    fn lines(&self, place: Place, rows: usize, head_dim: usize, lines: &mut Vec<f32>) {
        let width = head_dim.next_multiple_of(STRIP);
        refill(lines, rows * width);
        for (row, line) in lines.chunks_exact_mut(width.max(1)).enumerate() {
            line[..head_dim].copy_from_slice(&self.from(place, row)[..head_dim]);
        }
    }
}
