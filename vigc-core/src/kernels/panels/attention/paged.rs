//! Attention over keys and values in pages of sixteen tokens (paged attention, <https://arxiv.org/abs/2309.06180>).
//!
//! A page of keys is a panel: a query is multiplied with sixteen keys at once. A row of the batch has a list of pages. Rows may
//! share pages of a common prefix, and nothing is copied when rows are reordered. As in products, a row's result is bitwise
//! independent of the other rows: scores are chains of additions over a head's width, outputs are chains over keys, and the sum
//! of a softmax is taken in sixteen lanes that begin with the row's first key.

use pulp::Arch;
use rayon::prelude::*;

use crate::kernels::panels::format::PANEL;
use crate::kernels::panels::isa::Matrix;
use crate::kernels::panels::tile::row_tiles;
use crate::kernels::rows::softmax;

/// The number of tokens of a page.
pub const PAGE: usize = PANEL;
/// The number of multiplications that is worth a task.
const TASK: usize = 1 << 16;

/// The keys and values of a layer, in pages of [`PAGE`] tokens.
#[derive(Debug, Clone)]
pub struct PagedKeyValues {
    /// `[pages, heads, head_dim, 16]`.
    keys: Vec<f32>,
    /// `[pages, heads, 16, width]`.
    values: Vec<f32>,
    heads: usize,
    head_dim: usize,
    /// The width of a head in whole panels.
    width: usize,
}

/// A row of a batch that reads and extends its cached keys and values.
#[derive(Debug, Clone, Copy)]
pub struct PagedRow<'a> {
    /// The row's pages, in order.
    pub pages: &'a [usize],
    /// The number of its tokens, including the new ones.
    pub len: usize,
    /// The number of new tokens. They are the queries; each attends to all tokens up to itself.
    pub new: usize,
}

impl PagedRow<'_> {
    /// The page of the token at a position, and its place in the page.
    fn slot(&self, position: usize) -> (usize, usize) {
        (self.pages[position / PAGE], position % PAGE)
    }
}

/// Some queries of one head.
#[derive(Debug, Clone, Copy)]
struct Queries<'a> {
    /// The first query.
    q: &'a [f32],
    /// Numbers between queries.
    row: usize,
    count: usize,
    scale: f32,
}

impl PagedKeyValues {
    /// No pages, for so many heads of a width.
    #[must_use]
    pub fn new(heads: usize, head_dim: usize) -> Self {
        let width = head_dim.next_multiple_of(PANEL);
        Self { keys: Vec::new(), values: Vec::new(), heads, head_dim, width }
    }

    /// Makes room for `pages` pages; there is never less room than before.
    pub fn reserve(&mut self, pages: usize) {
        let [keys, values] = [self.head_dim, self.width].map(|width| self.heads * width * PAGE);
        if self.keys.len() < pages * keys {
            self.keys.resize(pages * keys, 0.0);
            self.values.resize(pages * values, 0.0);
        }
    }

    /// Copies the keys and values of one page to another.
    ///
    /// # Panics
    ///
    /// Panics if there is no room for either.
    pub fn copy(&mut self, from: usize, to: usize) {
        let [keys, values] = [self.head_dim, self.width].map(|width| self.heads * width * PAGE);
        self.keys.copy_within(from * keys..(from + 1) * keys, to * keys);
        self.values.copy_within(from * values..(from + 1) * values, to * values);
    }

    /// Writes a head's key and value.
    fn write(&mut self, (page, place): (usize, usize), head: usize, key: &[f32], value: &[f32]) {
        let head = page * self.heads + head;
        let panel = &mut self.keys[head * self.head_dim * PAGE..];
        for (lane, &key) in panel[place..].iter_mut().step_by(PAGE).zip(key) {
            *lane = key;
        }
        let at = (head * PAGE + place) * self.width;
        self.values[at..at + self.head_dim].copy_from_slice(&value[..self.head_dim]);
    }

    /// Appends keys and values to rows, and computes the attention of the rows' new queries.
    ///
    /// # Shapes
    ///
    /// - q: `[tokens, query heads, head_dim]`, the new tokens of one row after the other
    /// - k, v: `[tokens, heads, head_dim]`
    /// - output: `[tokens, query heads, head_dim]`
    ///
    /// # Panics
    ///
    /// Panics if the numbers do not fit the rows, or a row's page was not reserved.
    #[must_use]
    pub fn attend(
        &mut self,
        [q, k, v]: [&[f32]; 3],
        rows: &[PagedRow<'_>],
        scale: f32,
    ) -> Vec<f32> {
        self.append(k, v, rows);
        let tokens: usize = rows.iter().map(|row| row.new).sum();
        let width = q.len() / tokens.max(1);
        let query_heads = width / self.head_dim;
        let group = query_heads / self.heads;
        let work: usize = rows.iter().map(|row| row.new * row.len * self.head_dim).sum();
        let head = |head: usize| {
            let mut out = vec![0.0; tokens * self.head_dim];
            let mut first = 0;
            for row in rows {
                let queries = Queries {
                    q: &q[first * width + head * self.head_dim..],
                    row: width,
                    count: row.new,
                    scale,
                };
                let out = &mut out[first * self.head_dim..(first + row.new) * self.head_dim];
                let before = row.len - row.new;
                self.attend_head(head / group, row.pages, queries, |query| before + query + 1, out);
                first += row.new;
            }
            out
        };
        let heads = (0..query_heads).into_par_iter().with_min_len((TASK / work.max(1)).max(1));
        let heads: Vec<_> = heads.map(head).collect();
        let mut out = vec![0.0; q.len()];
        for (token, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            for (out, head) in out.chunks_exact_mut(self.head_dim).zip(&heads) {
                out.copy_from_slice(&head[token * self.head_dim..(token + 1) * self.head_dim]);
            }
        }
        out
    }

    fn append(&mut self, k: &[f32], v: &[f32], rows: &[PagedRow<'_>]) {
        let width = self.heads * self.head_dim;
        let positions =
            rows.iter().flat_map(|row| (row.len - row.new..row.len).map(|at| row.slot(at)));
        let tokens = k.chunks_exact(width).zip(v.chunks_exact(width));
        for (slot, (k, v)) in positions.zip(tokens) {
            let heads = k.chunks_exact(self.head_dim).zip(v.chunks_exact(self.head_dim));
            for (head, (k, v)) in heads.enumerate() {
                self.write(slot, head, k, v);
            }
        }
    }

    /// Computes the attention of some queries of one head to a row's keys. Each query attends to the first `visible` keys.
    fn attend_head(
        &self,
        head: usize,
        pages: &[usize],
        queries: Queries<'_>,
        visible: impl Fn(usize) -> usize,
        out: &mut [f32],
    ) {
        let (mut scores, mut sums) = (Vec::new(), Vec::new());
        for tile in row_tiles(queries.count) {
            let (from, rows) = (tile.start, tile.len());
            let most = tile.map(&visible).max().unwrap_or(0);
            let pages = &pages[..most.div_ceil(PAGE)];
            let q = Queries { q: &queries.q[from * queries.row..], count: rows, ..queries };
            self.scores(head, pages, q, &mut scores);
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (i, scores) in scores.chunks_exact_mut(pages.len() * PAGE).enumerate() {
                        softmax_of_visible(scores, visible(from + i), queries.scale);
                    }
                },
            );
            self.sum_values(head, pages, most, &scores, rows, &mut sums);
            let out = out[from * self.head_dim..].chunks_exact_mut(self.head_dim);
            for (out, sums) in out.zip(sums.chunks_exact(self.width)) {
                out.copy_from_slice(&sums[..self.head_dim]);
            }
        }
    }

    /// Multiplies queries and keys, `[queries, 16 × pages]`.
    fn scores(&self, head: usize, pages: &[usize], q: Queries<'_>, scores: &mut Vec<f32>) {
        let keys = pages.len() * PAGE;
        scores.clear();
        scores.resize(q.count * keys, 0.0);
        let panel = self.head_dim * PAGE;
        let mut first = 0;
        while first < pages.len() {
            let panels = run(&pages[first..]);
            let keys_of_run = Matrix {
                numbers: &self.keys[(pages[first] * self.heads + head) * panel..],
                panel: self.heads * panel,
                unit: PAGE,
                units: self.head_dim,
                panels,
            };
            keys_of_run.add(q.q, q.row, q.count, &mut scores[first * PAGE..], keys);
            first += panels;
        }
    }

    /// Computes weighted sums of the first `keys` values, `[queries, width]`.
    fn sum_values(
        &self,
        head: usize,
        pages: &[usize],
        keys: usize,
        weights: &[f32],
        rows: usize,
        sums: &mut Vec<f32>,
    ) {
        sums.clear();
        sums.resize(rows * self.width, 0.0);
        for (at, &page) in pages.iter().enumerate() {
            let values = Matrix {
                numbers: &self.values[(page * self.heads + head) * PAGE * self.width..],
                panel: PANEL,
                unit: self.width,
                units: PAGE.min(keys - at * PAGE),
                panels: self.width / PANEL,
            };
            values.add(&weights[at * PAGE..], pages.len() * PAGE, rows, sums, self.width);
        }
    }
}

/// The number of pages at the beginning that are adjacent in memory.
fn run(pages: &[usize]) -> usize {
    pages.windows(2).take_while(|pair| pair[1] == pair[0] + 1).count() + 1
}

/// Turns scores into attention weights. Keys that are not visible get the weight 0.
#[inline(always)]
fn softmax_of_visible(scores: &mut [f32], visible: usize, scale: f32) {
    let (seen, hidden) = scores.split_at_mut(visible);
    seen.iter_mut().for_each(|score| *score *= scale);
    hidden.fill(f32::NEG_INFINITY);
    softmax(scores);
}
