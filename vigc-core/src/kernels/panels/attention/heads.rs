//! Tensors of attention heads, and their copies in panels and in lines.

use std::ops::Range;

use burn::backend::flex::{FlexTensor, Layout};
use pulp::Arch;
use rayon::prelude::*;

use super::paged::PAGE;
use crate::kernels::panels::format::PANEL;
use crate::kernels::panels::tile::row_tiles;

/// The sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) heads: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    pub(super) head_dim: usize,
}

/// One head of one row of the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) batch: usize,
    pub(super) head: usize,
}

impl Sizes {
    /// The width of a head in whole panels.
    pub(super) fn width(self) -> usize {
        self.head_dim.next_multiple_of(PANEL)
    }

    pub(super) fn pages(self) -> usize {
        self.keys.div_ceil(PAGE)
    }

    /// The queries of each tile.
    pub(super) fn tiles(self) -> impl Iterator<Item = Range<usize>> {
        row_tiles(self.queries)
    }

    pub(super) fn places(self) -> impl IndexedParallelIterator<Item = Place> {
        let place = move |task| Place { batch: task / self.heads, head: task % self.heads };
        (0..self.batch * self.heads).into_par_iter().map(place)
    }

    /// Splits `[batch, rows, heads, head_dim]` into the rows of every head. In this layout, heads are concatenated without a copy.
    pub(super) fn split_by_head(self, numbers: &mut [f32], heads: usize) -> Vec<Vec<&mut [f32]>> {
        let rows = numbers.len() / (self.batch * heads * self.head_dim).max(1);
        let split = (0..self.batch * heads).map(|_| Vec::with_capacity(rows));
        let mut split: Vec<Vec<&mut [f32]>> = split.collect();
        for (i, row) in numbers.chunks_exact_mut(self.head_dim.max(1)).enumerate() {
            let batch = i / (rows * heads);
            split[batch * heads + i % heads].push(row);
        }
        split
    }
}

/// A tensor of heads, `[batch, heads, rows, head_dim]`, with any strides.
pub(super) struct Heads {
    tensor: FlexTensor,
    start: usize,
    strides: [usize; 3],
}

impl Heads {
    /// Part 0, 1 or 2 (queries, keys or values) of a contiguous projection, `[batch, seq, 3, heads, head_dim]`.
    pub(super) fn of_projection(qkv: &FlexTensor, part: usize, sizes: Sizes) -> Self {
        let Sizes { heads, queries: seq, head_dim, .. } = sizes;
        let width = heads * head_dim;
        let strides = [3 * seq * width, head_dim, 3 * width];
        Self { tensor: qkv.clone(), start: part * width, strides }
    }

    /// A tensor `[batch, heads, rows, head_dim]`. It is copied if the numbers of a row are not contiguous.
    pub(super) fn of(tensor: &FlexTensor) -> Self {
        let is_plain =
            |layout: &Layout| layout.strides().iter().all(|&s| s >= 0) && layout.strides()[3] == 1;
        let tensor =
            if is_plain(tensor.layout()) { tensor.clone() } else { tensor.to_contiguous() };
        let strides = [0, 1, 2].map(|axis| tensor.layout().strides()[axis].unsigned_abs());
        Self { start: tensor.layout().start_offset(), tensor, strides }
    }

    /// Numbers between rows.
    pub(super) fn row(&self) -> usize {
        self.strides[2]
    }

    /// The numbers of a head from a row on.
    pub(super) fn from(&self, place: Place, row: usize) -> &[f32] {
        let [of_batch, of_head, of_row] = self.strides;
        let at = place.batch * of_batch + place.head * of_head + row * of_row;
        &self.tensor.storage::<f32>()[self.start + at..]
    }

    /// Copies a head's rows to panels of sixteen, `[pages, head_dim, 16]`.
    pub(super) fn panels(&self, place: Place, rows: usize, head_dim: usize, panels: &mut Vec<f32>) {
        resize_zeroed(panels, rows.div_ceil(PAGE) * head_dim * PAGE);
        let panels = panels.chunks_exact_mut((head_dim * PAGE).max(1));
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (page, panel) in panels.enumerate() {
                    let lanes = PAGE.min(rows - page * PAGE);
                    let from = self.from(place, page * PAGE);
                    for lane in 0..lanes {
                        let row = &from[lane * self.row()..][..head_dim];
                        for (numbers, &number) in
                            panel.as_chunks_mut::<PAGE>().0.iter_mut().zip(row)
                        {
                            numbers[lane] = number;
                        }
                    }
                }
            },
        );
    }

    /// Copies a head's rows to contiguous lines, `[rows, width]`.
    pub(super) fn lines(&self, place: Place, rows: usize, head_dim: usize, lines: &mut Vec<f32>) {
        let width = head_dim.next_multiple_of(PANEL);
        resize_zeroed(lines, rows * width);
        for (row, line) in lines.chunks_exact_mut(width.max(1)).enumerate() {
            line[..head_dim].copy_from_slice(&self.from(place, row)[..head_dim]);
        }
    }
}

/// Empties a buffer and fills it with zeros.
pub(super) fn resize_zeroed(numbers: &mut Vec<f32>, len: usize) {
    numbers.clear();
    numbers.resize(len, 0.0);
}
