//! Which keys queries see.

use std::ops::Range;

use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::{PAGE, Place, Sizes};
use crate::kernels::backend::{Numbers, dims};

/// A bias below this hides a key: its weight would be nothing beside that of any other.
const HIDDEN: f32 = -1e20;

/// What is added to scores, and what of it matters.
pub(super) struct Mask {
    numbers: Option<Numbers>,
    /// Rows of the batch that have a bias of their own: all, or one for all.
    batch: usize,
    /// The same for queries.
    queries: usize,
    keys: usize,
    /// The pages that each tile of queries sees, by row of the batch.
    runs: Vec<Vec<Vec<Range<usize>>>>,
}

impl Mask {
    pub(super) fn new(bias: &FlexTensor, sizes: Sizes) -> Self {
        let shape = dims(bias);
        let numbers = (shape[3] == sizes.keys && sizes.keys > 0).then(|| Numbers::of(bias));
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

    /// The pages of which queries see something; all, if they see nothing.
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
        let runs = joined((0..pages).filter(|&page| sees(page)).map(|page| page..page + 1));
        let all = std::iter::once(0..pages);
        if runs.is_empty() { all.collect() } else { runs }
    }

    pub(super) fn runs(&self, place: Place, tile: usize) -> &[Range<usize>] {
        &self.runs[if self.batch > 1 { place.batch } else { 0 }][tile]
    }
}

/// Ranges in their order, those that touch as one.
pub(super) fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match runs.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => runs.push(range),
        }
    }
    runs
}
