//! The cache of the CPU: rows without padding that share pages, and whose last tokens can be removed.

use burn::tensor::{Tensor, TensorData};
use vigc_core::kernels::{PAGE, PagedKeyValues, PagedRow};

/// Keys and values of all layers, one row for each sequence, in pages of [`PAGE`] tokens.
///
/// Rows with the same beginning share pages. A shared page is copied when a row writes to it.
#[derive(Debug, Clone)]
pub(crate) struct PagedCache {
    layers: Vec<PagedKeyValues>,
    rows: Vec<Row>,
    /// The number of rows that use each page.
    ref_counts: Vec<usize>,
    /// The pages that no row uses.
    free: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    pages: Vec<usize>,
    len: usize,
}

impl PagedCache {
    /// A cache with the empty pages of each layer and a number of empty rows.
    pub(super) fn new(layers: Vec<PagedKeyValues>, rows: usize) -> Self {
        Self { layers, rows: vec![Row::default(); rows], ref_counts: Vec::new(), free: Vec::new() }
    }

    /// The number of tokens of a row.
    pub(crate) fn len(&self, row: usize) -> usize {
        self.rows[row].len
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Replaces the rows by `rows` of the present ones, in that order. Copies no page.
    pub(crate) fn select(&mut self, rows: &[usize]) {
        let selected: Vec<_> = rows.iter().map(|&row| self.rows[row].clone()).collect();
        for &page in selected.iter().flat_map(|row| &row.pages) {
            self.ref_counts[page] += 1;
        }
        for row in std::mem::replace(&mut self.rows, selected) {
            row.pages.into_iter().for_each(|page| self.release(page));
        }
    }

    /// Removes a row's last tokens, so that `len` are left.
    pub(crate) fn truncate(&mut self, row: usize, len: usize) {
        let row = &mut self.rows[row];
        row.len = row.len.min(len);
        let pages = row.pages.split_off(row.len.div_ceil(PAGE));
        pages.into_iter().for_each(|page| self.release(page));
    }

    fn release(&mut self, page: usize) {
        self.ref_counts[page] -= 1;
        if self.ref_counts[page] == 0 {
            self.free.push(page);
        }
    }

    /// The rotations of `new` tokens at the end of every row.
    pub(super) fn rotations(&self, new: &[usize], head_dim: usize, theta: f64) -> Rotations {
        let frequency = |i: usize| theta.powf(-((2 * i) as f64) / head_dim as f64) as f32;
        let frequencies: Vec<_> = (0..head_dim / 2).map(frequency).collect();
        let mut cos_sin = Vec::with_capacity(new.iter().sum::<usize>() * head_dim);
        for (row, &new) in self.rows.iter().zip(new) {
            for position in row.len..row.len + new {
                let angle = |frequency: &f32| position as f32 * frequency;
                cos_sin.extend(frequencies.iter().map(|frequency| angle(frequency).cos()));
                cos_sin.extend(frequencies.iter().map(|frequency| angle(frequency).sin()));
            }
        }
        Rotations { cos_sin, head_dim }
    }

    /// Makes room for `new` tokens at the end of every row. Returns the rows and the pages of every layer.
    pub(super) fn extend<'a>(
        &'a mut self,
        new: &'a [usize],
    ) -> (Vec<PagedRow<'a>>, &'a mut [PagedKeyValues]) {
        for (index, &new) in new.iter().enumerate() {
            if new > 0 && !self.rows[index].len.is_multiple_of(PAGE) {
                self.copy_last_if_shared(index);
            }
            let len = self.rows[index].len + new;
            while self.rows[index].pages.len() < len.div_ceil(PAGE) {
                let page = self.allocate();
                self.rows[index].pages.push(page);
            }
            self.rows[index].len = len;
        }
        let pages = self.ref_counts.len();
        self.layers.iter_mut().for_each(|layer| layer.reserve(pages));
        let rows = self.rows.iter().zip(new);
        let rows = rows.map(|(row, &new)| PagedRow { pages: &row.pages, len: row.len, new });
        (rows.collect(), &mut self.layers)
    }

    /// The number of pages in use.
    #[cfg(test)]
    pub(super) fn used_pages(&self) -> usize {
        self.ref_counts.len() - self.free.len()
    }

    /// Copies a row's last page if another row uses it, too.
    fn copy_last_if_shared(&mut self, index: usize) {
        let Some(&last) = self.rows[index].pages.last() else { return };
        if self.ref_counts[last] == 1 {
            return;
        }
        let page = self.allocate();
        let pages = self.ref_counts.len();
        for layer in &mut self.layers {
            layer.reserve(pages);
            layer.copy(last, page);
        }
        self.ref_counts[last] -= 1;
        self.rows[index].pages.pop();
        self.rows[index].pages.push(page);
    }

    /// A page for one row. Takes the first free one, so that a row's pages are adjacent.
    fn allocate(&mut self) -> usize {
        let first = self.free.iter().enumerate().min_by_key(|(_, page)| **page).map(|(at, _)| at);
        match first {
            Some(at) => {
                let page = self.free.swap_remove(at);
                self.ref_counts[page] = 1;
                page
            }
            None => {
                self.ref_counts.push(1);
                self.ref_counts.len() - 1
            }
        }
    }
}

/// The rotary embeddings of the tokens of one pass. All layers share them.
#[derive(Debug)]
pub(super) struct Rotations {
    /// The cosines and then the sines of every token, `head_dim / 2` of each.
    cos_sin: Vec<f32>,
    head_dim: usize,
}

impl Rotations {
    /// Rotates heads, `[tokens, heads * head_dim]`.
    pub(super) fn apply(&self, x: Tensor<2>) -> Vec<f32> {
        let [tokens, width] = x.dims();
        debug_assert_eq!(tokens * self.head_dim, self.cos_sin.len());
        let mut x = host(x);
        let half = self.head_dim / 2;
        let rotations = self.cos_sin.chunks_exact(self.head_dim);
        for (token, cos_sin) in x.chunks_exact_mut(width).zip(rotations) {
            let (cos, sin) = cos_sin.split_at(half);
            for head in token.chunks_exact_mut(self.head_dim) {
                let (low, high) = head.split_at_mut(half);
                for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                    (*low, *high) = (*low * cos - *high * sin, *high * cos + *low * sin);
                }
            }
        }
        x
    }
}

/// Copies a tensor of the CPU to the host.
pub(super) fn host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data_as::<f32>().try_into_vec().expect("the numbers were just made f32")
}

/// A tensor of numbers on the device of another.
pub(super) fn tensor(numbers: Vec<f32>, shape: [usize; 2], like: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers, shape), &like.device())
}
