//! Which keys each query attends to.

use std::ops::Range;

use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::heads::{Place, Sizes};
use super::paged::PAGE;
use crate::kernels::tensors::{Contiguous, dims};

/// A bias at or below this hides a key: its weight would be 0 beside that of any other key.
const HIDDEN: f32 = -1e20;

/// The bias of scores, and the pages that it leaves visible.
pub(super) struct Mask {
    numbers: Option<Contiguous>,
    /// The number of rows of the batch that have a bias of their own: all, or one for all.
    batch: usize,
    /// The number of queries that have a bias of their own: all, or one for all.
    queries: usize,
    keys: usize,
    /// The runs of pages that each tile of queries attends to, by row of the batch.
    runs: Vec<Vec<Vec<Range<usize>>>>,
}

impl Mask {
    pub(super) fn new(bias: &FlexTensor, sizes: Sizes) -> Self {
        let shape = dims(bias);
        let numbers = (shape[3] == sizes.keys && sizes.keys > 0).then(|| Contiguous::of(bias));
        let (batch, queries) = match numbers {
            Some(_) => (shape[0], shape[2]),
            None => (1, 1),
        };
        let mut mask = Self { numbers, batch, queries, keys: sizes.keys, runs: Vec::new() };
        let runs_of = |batch| {
            let place = Place { batch, head: 0 };
            sizes.tiles().map(|queries| mask.seen_by(place, queries, sizes.pages())).collect()
        };
        mask.runs = (0..batch).into_par_iter().map(runs_of).collect();
        mask
    }

    /// The bias of a query.
    pub(super) fn row(&self, place: Place, query: usize) -> Option<&[f32]> {
        let batch = if self.batch > 1 { place.batch } else { 0 };
        let query = if self.queries > 1 { query } else { 0 };
        let numbers = self.numbers.as_ref()?.slice();
        Some(&numbers[(batch * self.queries + query) * self.keys..][..self.keys])
    }

    /// The pages in which some queries attend to a key. If they attend to none, all pages.
    fn seen_by(&self, place: Place, queries: Range<usize>, pages: usize) -> Vec<Range<usize>> {
        let sees = |page: usize| {
            queries.clone().any(|query| match self.row(place, query) {
                Some(bias) => {
                    let keys = page * PAGE..self.keys.min((page + 1) * PAGE);
                    bias[keys].iter().any(|&bias| bias > HIDDEN)
                }
                None => true,
            })
        };
        let runs = merged((0..pages).filter(|&page| sees(page)).map(|page| page..page + 1));
        let all = std::iter::once(0..pages);
        if runs.is_empty() { all.collect() } else { runs }
    }

    /// The runs of pages that a tile of queries attends to.
    pub(super) fn runs(&self, place: Place, tile: usize) -> &[Range<usize>] {
        &self.runs[if self.batch > 1 { place.batch } else { 0 }][tile]
    }
}

/// Merges adjacent ranges.
pub(super) fn merged(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match runs.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => runs.push(range),
        }
    }
    runs
}
