//! Attention over tensors, as an implementation of [`Kernels`](crate::kernels::backend::Kernels).

use burn::backend::flex::{FlexTensor, Layout};
use rayon::prelude::*;

use super::pages::{Bias, PAGE, Pages, Queries};
use crate::kernels::backend::{Numbers, dims, tensor};

/// A tensor of heads, `[batch, heads, rows, head_dim]`, wherever its numbers lie.
struct Heads {
    tensor: FlexTensor,
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
        Self { tensor, strides }
    }

    /// The numbers from a row of a head on.
    fn from(&self, batch: usize, head: usize, row: usize) -> &[f32] {
        let [of_batch, of_head, of_row] = self.strides;
        let at = batch * of_batch + head * of_head + row * of_row;
        &self.tensor.storage::<f32>()[self.tensor.layout().start_offset() + at..]
    }
}

/// `softmax(q k^T * scale + bias) v`; a bias of no keys is none.
pub(in super::super) fn attention(
    q: &FlexTensor,
    k: &FlexTensor,
    v: &FlexTensor,
    bias: &FlexTensor,
    scale: f32,
) -> FlexTensor {
    let [batch, heads, queries, head_dim] = dims(q)[..] else {
        unreachable!("heads have four axes")
    };
    let (keys, of_bias) = (dims(k)[2], dims(bias));
    let (q, k, v) = (Heads::of(q), Heads::of(k), Heads::of(v));
    let bias = (of_bias[3] == keys).then(|| Numbers::of(bias));
    let pages: Vec<_> = (0..keys.div_ceil(PAGE)).collect();
    let one = |task: usize| {
        let (batch, head) = (task / heads, task % heads);
        let mut source = Pages::new(1, head_dim);
        source.reserve(pages.len());
        for key in 0..keys {
            let slot = (key / PAGE, key % PAGE);
            source.write(slot, 0, k.from(batch, head, key), v.from(batch, head, key));
        }
        let mut out = vec![0.0; queries * head_dim];
        let row_of_bias = |query: usize| {
            let batch = if of_bias[0] > 1 { batch } else { 0 };
            let query = if of_bias[2] > 1 { query } else { 0 };
            let numbers = bias.as_ref().map(Numbers::slice).unwrap_or_default();
            &numbers[(batch * of_bias[2] + query) * keys..][..keys]
        };
        let bias = bias.is_some().then_some(&row_of_bias as Bias<'_, '_>);
        let q = Queries { q: q.from(batch, head, 0), row: q.strides[2], count: queries, scale };
        source.read(0, &pages, q, |_| keys, bias, &mut out);
        out
    };
    let done: Vec<_> = (0..batch * heads).into_par_iter().map(one).collect();
    // As `[batch, queries, heads, head_dim]`, so that heads can be joined without another copy.
    let mut joined = vec![0.0; batch * queries * heads * head_dim];
    let rows = joined.par_chunks_exact_mut((heads * head_dim).max(1)).enumerate();
    rows.for_each(|(row, out)| {
        let (batch, query) = (row / queries, row % queries);
        for (head, out) in out.chunks_exact_mut(head_dim).enumerate() {
            out.copy_from_slice(&done[batch * heads + head][query * head_dim..][..head_dim]);
        }
    });
    tensor(joined, [batch, queries, heads, head_dim]).transpose(1, 2)
}
