//! Reading on the CPU: no padding, pages that rows share, and tokens that can be taken back.

use burn::tensor::{Tensor, TensorData};
use vigc_core::kernels::{PAGE, PagedKeyValues, PagedRow, on_worker};

use super::Llama;

/// Keys and values of all layers, one row per sequence, in pages of [`PAGE`] tokens.
///
/// Rows that begin alike share pages; a page that several rows share is copied when one of them writes to it.
#[derive(Debug, Clone)]
pub(crate) struct PagedCache {
    layers: Vec<PagedKeyValues>,
    rows: Vec<Row>,
    /// How many rows use each page.
    users: Vec<usize>,
    free: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    pages: Vec<usize>,
    len: usize,
}

/// What all layers of one pass share: the rotations of its tokens.
#[derive(Debug)]
pub(super) struct Step {
    /// Of each token its cosines and then its sines, a half head of each.
    turns: Vec<f32>,
    new: Vec<usize>,
}

impl PagedCache {
    /// Empty rows.
    pub(crate) fn new(llama: &Llama, rows: usize) -> Self {
        let pages = PagedKeyValues::new(llama.num_kv_heads(), llama.head_dim);
        Self {
            layers: vec![pages; llama.model.layers.len()],
            rows: vec![Row::default(); rows],
            users: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many tokens a row holds.
    pub(crate) fn len(&self, row: usize) -> usize {
        self.rows[row].len
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Replaces the rows by `rows` of the present ones, in that order. Nothing is copied.
    pub(crate) fn select(&mut self, rows: &[usize]) {
        let selected: Vec<_> = rows.iter().map(|&row| self.rows[row].clone()).collect();
        for &page in selected.iter().flat_map(|row| &row.pages) {
            self.users[page] += 1;
        }
        for row in std::mem::replace(&mut self.rows, selected) {
            row.pages.into_iter().for_each(|page| self.release(page));
        }
    }

    /// Forgets a row's last tokens, so that `len` are left.
    pub(crate) fn truncate(&mut self, row: usize, len: usize) {
        let row = &mut self.rows[row];
        row.len = row.len.min(len);
        let pages = row.pages.split_off(row.len.div_ceil(PAGE));
        pages.into_iter().for_each(|page| self.release(page));
    }

    fn release(&mut self, page: usize) {
        self.users[page] -= 1;
        if self.users[page] == 0 {
            self.free.push(page);
        }
    }

    /// Makes room for new tokens of every row.
    fn extend(&mut self, new: &[usize]) {
        for (index, &new) in new.iter().enumerate() {
            if new > 0 && !self.rows[index].len.is_multiple_of(PAGE) {
                self.own_last(index);
            }
            let len = self.rows[index].len + new;
            while self.rows[index].pages.len() < len.div_ceil(PAGE) {
                let page = self.allocate();
                self.rows[index].pages.push(page);
            }
            self.rows[index].len = len;
        }
        let pages = self.users.len();
        self.layers.iter_mut().for_each(|layer| layer.reserve(pages));
    }

    /// Copies a row's last page if another row has it too.
    fn own_last(&mut self, index: usize) {
        let Some(&last) = self.rows[index].pages.last() else { return };
        if self.users[last] == 1 {
            return;
        }
        let page = self.allocate();
        let pages = self.users.len();
        for layer in &mut self.layers {
            layer.reserve(pages);
            layer.copy(last, page);
        }
        self.users[last] -= 1;
        self.rows[index].pages.pop();
        self.rows[index].pages.push(page);
    }

    /// A page for one row; of free ones the first, so that a row's pages lie side by side.
    fn allocate(&mut self) -> usize {
        let first = self.free.iter().enumerate().min_by_key(|(_, page)| **page).map(|(at, _)| at);
        match first {
            Some(at) => {
                let page = self.free.swap_remove(at);
                self.users[page] = 1;
                page
            }
            None => {
                self.users.push(1);
                self.users.len() - 1
            }
        }
    }
}

impl Llama {
    fn num_kv_heads(&self) -> usize {
        self.model.layers.first().map_or(1, |layer| layer.num_kv_heads())
    }

    /// Reads new tokens of all rows: `new` says how many each row gets.
    ///
    /// A row's states are the same bits whatever the other rows are, and in how many pieces it is read.
    ///
    /// # Shapes
    ///
    /// - embeds: `[tokens, hidden]`, row after row
    /// - output: `[tokens, hidden]`, normalized, ready for [`Llama::logits`]
    pub(crate) fn read(
        &self,
        embeds: Tensor<2>,
        new: &[usize],
        cache: &mut PagedCache,
    ) -> Tensor<2> {
        let step = self.step(new, cache);
        cache.extend(new);
        let PagedCache { layers, rows, .. } = cache;
        let rows: Vec<_> = rows
            .iter()
            .zip(new)
            .map(|(row, &new)| PagedRow { pages: &row.pages, len: row.len, new })
            .collect();
        let pairs = self.model.layers.iter().zip(layers);
        on_worker(|| {
            let x = pairs.fold(embeds, |x, (layer, pages)| layer.read(x, &step, &rows, pages));
            self.model.norm.forward(x)
        })
    }

    fn step(&self, new: &[usize], cache: &PagedCache) -> Step {
        let half = self.head_dim / 2;
        let frequency =
            |i: usize| self.rope_theta.powf(-((2 * i) as f64) / self.head_dim as f64) as f32;
        let frequencies: Vec<_> = (0..half).map(frequency).collect();
        let mut turns = Vec::with_capacity(new.iter().sum::<usize>() * self.head_dim);
        for (row, &new) in cache.rows.iter().zip(new) {
            for position in row.len..row.len + new {
                let angle = |frequency: &f32| position as f32 * frequency;
                turns.extend(frequencies.iter().map(|frequency| angle(frequency).cos()));
                turns.extend(frequencies.iter().map(|frequency| angle(frequency).sin()));
            }
        }
        Step { turns, new: new.to_vec() }
    }
}

impl Step {
    /// Rotates heads, `[tokens, heads, head_dim]`.
    pub(super) fn rotate(&self, x: Tensor<2>, head_dim: usize) -> Vec<f32> {
        let [tokens, width] = x.dims();
        debug_assert_eq!(tokens, self.new.iter().sum::<usize>());
        let mut x = host(x);
        let half = head_dim / 2;
        for (token, turns) in x.chunks_exact_mut(width).zip(self.turns.chunks_exact(head_dim)) {
            let (cos, sin) = turns.split_at(half);
            for head in token.chunks_exact_mut(head_dim) {
                let (low, high) = head.split_at_mut(half);
                for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                    (*low, *high) = (*low * cos - *high * sin, *high * cos + *low * sin);
                }
            }
        }
        x
    }
}

/// The numbers of a tensor of the CPU.
pub(super) fn host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data_as::<f32>().try_into_vec().expect("the numbers were just made f32")
}

/// A tensor of the numbers.
pub(super) fn tensor(numbers: Vec<f32>, shape: [usize; 2], like: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers, shape), &like.device())
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Int};

    use super::super::LlamaConfig;
    use super::*;

    fn ids(count: i32, seed: i32) -> Vec<i32> {
        (0..count).map(|i| (i * 7 + seed * 13 + i * i) % 37).collect()
    }

    fn embeds(llama: &Llama, ids: &[i32]) -> Tensor<2> {
        let ids = TensorData::new(ids.to_vec(), [1, ids.len()]);
        llama.embed(Tensor::<2, Int>::from_data(ids, &Device::default())).squeeze_dim(0)
    }

    /// Rows of any lengths, read in one piece.
    fn read(llama: &Llama, rows: &[Vec<i32>]) -> Vec<Vec<f32>> {
        let mut cache = PagedCache::new(llama, rows.len());
        let new: Vec<_> = rows.iter().map(Vec::len).collect();
        let states = host(llama.read(embeds(llama, &rows.concat()), &new, &mut cache));
        let width = states.len() / new.iter().sum::<usize>();
        let mut at = 0;
        let cut = |&len: &usize| {
            at += len;
            states[(at - len) * width..at * width].to_vec()
        };
        new.iter().map(cut).collect()
    }

    #[test]
    fn a_row_is_the_same_bits_in_any_company_and_in_any_pieces() {
        let device = Device::default();
        for kv_heads in [4, 2] {
            let config = LlamaConfig::new(37, 96, 2, 4).with_num_key_value_heads(kv_heads);
            let llama = config.init(&device);
            let rows = [ids(33, 0), ids(5, 1), ids(20, 2)];
            let together = read(&llama, &rows);
            for (row, expected) in rows.iter().zip(&together) {
                assert!(read(&llama, std::slice::from_ref(row))[0] == *expected);
                for pieces in [vec![row.len()], vec![1; row.len()], vec![row.len() - 4, 3, 1]] {
                    let mut cache = PagedCache::new(&llama, 1);
                    let mut states = Vec::new();
                    let mut at = 0;
                    for piece in pieces {
                        let part = embeds(&llama, &row[at..at + piece]);
                        states.extend(host(llama.read(part, &[piece], &mut cache)));
                        at += piece;
                    }
                    assert!(states == *expected);
                }
            }
        }
    }

    #[test]
    fn shared_pages_are_copied_before_they_are_written() {
        let device = Device::default();
        let llama = LlamaConfig::new(37, 32, 2, 2).init(&device);
        let start = ids(21, 0);
        let tails = [ids(14, 1), ids(14, 2), ids(14, 3)];
        let mut cache = PagedCache::new(&llama, 1);
        drop(llama.read(embeds(&llama, &start), &[21], &mut cache));
        cache.select(&[0, 0, 0]);
        assert_eq!(cache.users.len(), 2);
        let mut last = Vec::new();
        for at in 0..14 {
            let tokens: Vec<_> = tails.iter().map(|tail| tail[at]).collect();
            last = host(llama.read(embeds(&llama, &tokens), &[1; 3], &mut cache));
        }
        for (tail, found) in tails.iter().zip(last.chunks(32)) {
            let whole = [start.clone(), tail.clone()].concat();
            assert!(read(&llama, &[whole])[0][34 * 32..] == *found);
        }
        // One page of the start, the second copied, a third for each.
        assert_eq!(cache.users.len() - cache.free.len(), 1 + 3 * 2);
        cache.select(&[1]);
        assert_eq!(cache.users.len() - cache.free.len(), 3);
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let device = Device::default();
        let llama = LlamaConfig::new(37, 32, 2, 2).init(&device);
        let row = ids(40, 0);
        let mut cache = PagedCache::new(&llama, 1);
        drop(llama.read(embeds(&llama, &row[..12]), &[12], &mut cache));
        drop(llama.read(embeds(&llama, &ids(23, 5)), &[23], &mut cache));
        cache.truncate(0, 12);
        assert_eq!(cache.len(0), 12);
        let rest = host(llama.read(embeds(&llama, &row[12..]), &[28], &mut cache));
        assert!(read(&llama, &[row])[0][12 * 32..] == rest);
    }
}
