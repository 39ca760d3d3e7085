//! Attention over keys and values that lie in pages of sixteen tokens.
//!
//! A page of keys is a strip: sixteen keys are the outputs that a query is multiplied with. Rows name their pages, so several
//! may share what they have in common, and nothing is copied when rows move. As in products, what a row reads
//! is the same bits in any company: scores are chains over a head's width, mixtures are chains over keys, and the sum of a
//! softmax is taken in sixteen lanes that begin with the row's first key.

use pulp::Arch;
use rayon::prelude::*;

use super::STRIP;
use super::tile::{Matrix, parts};
use crate::kernels::rows::softmax;

/// Tokens of a page.
pub const PAGE: usize = STRIP;
/// Multiplications that are worth a task of their own.
const TASK: usize = 1 << 16;

/// Keys and values of a layer, in pages.
#[derive(Debug, Clone)]
pub struct Pages {
    /// `[pages, heads, head_dim, 16]`.
    keys: Vec<f32>,
    /// `[pages, heads, 16, width]`.
    values: Vec<f32>,
    heads: usize,
    head_dim: usize,
    /// The width of a head in whole strips.
    width: usize,
}

/// What some tokens of a row read.
#[derive(Debug, Clone, Copy)]
pub struct PagedRow<'a> {
    /// The row's pages, in order.
    pub pages: &'a [usize],
    /// How many tokens it holds, the new ones included.
    pub len: usize,
    /// How many of them are new: they are the queries, and each reads what stands up to it.
    pub new: usize,
}

impl PagedRow<'_> {
    /// The page and the place in it of the token at a position.
    fn slot(&self, position: usize) -> (usize, usize) {
        (self.pages[position / PAGE], position % PAGE)
    }
}

/// Queries of one head.
#[derive(Debug, Clone, Copy)]
struct Queries<'a> {
    /// The first query.
    q: &'a [f32],
    /// Numbers between queries.
    row: usize,
    count: usize,
    scale: f32,
}

impl Pages {
    /// No pages, for heads of some width.
    #[must_use]
    pub fn new(heads: usize, head_dim: usize) -> Self {
        let width = head_dim.next_multiple_of(STRIP);
        Self { keys: Vec::new(), values: Vec::new(), heads, head_dim, width }
    }

    /// Makes room for `pages` pages.
    pub fn reserve(&mut self, pages: usize) {
        let [keys, values] = [self.head_dim, self.width].map(|width| self.heads * width * PAGE);
        if self.keys.len() < pages * keys {
            self.keys.resize(pages * keys, 0.0);
            self.values.resize(pages * values, 0.0);
        }
    }

    /// Copies the tokens of one page to another.
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
        let strip = &mut self.keys[head * self.head_dim * PAGE..];
        for (lane, &key) in strip[place..].iter_mut().step_by(PAGE).zip(key) {
            *lane = key;
        }
        let at = (head * PAGE + place) * self.width;
        self.values[at..at + self.head_dim].copy_from_slice(&value[..self.head_dim]);
    }

    /// Appends keys and values to rows, and lets their queries read.
    ///
    /// # Shapes
    ///
    /// - q: `[tokens, query heads, head_dim]`, the rows' new tokens one row after the other
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
                self.read(head / group, row.pages, queries, |query| before + query + 1, out);
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

    /// Lets queries of one head read a row's keys, each the first `visible` of them.
    fn read(
        &self,
        head: usize,
        pages: &[usize],
        queries: Queries<'_>,
        visible: impl Fn(usize) -> usize,
        out: &mut [f32],
    ) {
        let (mut scores, mut mixed) = (Vec::new(), Vec::new());
        for tile in parts(queries.count) {
            let (from, rows) = (tile.start, tile.len());
            let most = tile.map(&visible).max().unwrap_or(0);
            let pages = &pages[..most.div_ceil(PAGE)];
            let q = Queries { q: &queries.q[from * queries.row..], count: rows, ..queries };
            self.score(head, pages, q, &mut scores);
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (i, scores) in scores.chunks_exact_mut(pages.len() * PAGE).enumerate() {
                        weigh(scores, visible(from + i), queries.scale);
                    }
                },
            );
            self.mix(head, pages, most, &scores, rows, &mut mixed);
            let out = out[from * self.head_dim..].chunks_exact_mut(self.head_dim);
            for (out, mixed) in out.zip(mixed.chunks_exact(self.width)) {
                out.copy_from_slice(&mixed[..self.head_dim]);
            }
        }
    }

    /// Products of queries and keys, `[queries, 16 pages]`.
    fn score(&self, head: usize, pages: &[usize], q: Queries<'_>, scores: &mut Vec<f32>) {
        let keys = pages.len() * PAGE;
        scores.clear();
        scores.resize(q.count * keys, 0.0);
        let strip = self.head_dim * PAGE;
        let mut first = 0;
        while first < pages.len() {
            let strips = run(&pages[first..]);
            let keys_of_run = Matrix {
                numbers: &self.keys[(pages[first] * self.heads + head) * strip..],
                strip: self.heads * strip,
                unit: PAGE,
                units: self.head_dim,
                strips,
            };
            keys_of_run.add(q.q, q.row, q.count, &mut scores[first * PAGE..], keys);
            first += strips;
        }
    }

    /// Sums of `keys` values, weighted, `[queries, width]`.
    fn mix(
        &self,
        head: usize,
        pages: &[usize],
        keys: usize,
        weights: &[f32],
        rows: usize,
        mixed: &mut Vec<f32>,
    ) {
        mixed.clear();
        mixed.resize(rows * self.width, 0.0);
        for (at, &page) in pages.iter().enumerate() {
            let values = Matrix {
                numbers: &self.values[(page * self.heads + head) * PAGE * self.width..],
                strip: STRIP,
                unit: self.width,
                units: PAGE.min(keys - at * PAGE),
                strips: self.width / STRIP,
            };
            values.add(&weights[at * PAGE..], pages.len() * PAGE, rows, mixed, self.width);
        }
    }
}

/// How many of the pages lie one after the other.
fn run(pages: &[usize]) -> usize {
    pages.windows(2).take_while(|pair| pair[1] == pair[0] + 1).count() + 1
}

/// Turns scores into weights; what is not visible gets none.
#[inline(always)]
fn weigh(scores: &mut [f32], visible: usize, scale: f32) {
    let (seen, hidden) = scores.split_at_mut(visible);
    seen.iter_mut().for_each(|score| *score *= scale);
    hidden.fill(f32::NEG_INFINITY);
    softmax(scores);
}
