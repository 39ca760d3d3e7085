//! Keys and values of the tokens that a model has read.

use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};

/// The cache grows by this many slots, so that appending a token seldom copies it.
const CHUNK: usize = 64;

/// Keys and values of all layers, one row for each sequence.
///
/// A new cache is empty and takes its shape from the first forward pass.
#[derive(Debug, Clone, Default)]
pub struct KvCache {
    layers: Vec<LayerCache>,
    len: usize,
}

/// Keys and values of one layer, with free slots at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerCache {
    /// Keys and values, `[batch, heads, slots, head_dim]` each.
    slots: Option<[Tensor<4>; 2]>,
    len: usize,
}

impl KvCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of positions read so far, padding included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Replaces the rows by `rows` of the present ones, in that order. Generation reorders beams, drops finished rows and
    /// copies prompts once for each beam this way.
    ///
    /// # Panics
    ///
    /// Panics if a row does not exist.
    pub fn select(&mut self, rows: &[usize]) {
        for layer in &mut self.layers {
            layer.select(rows);
        }
    }

    /// The caches of `layers` layers, which are about to read `seq` more positions.
    pub(super) fn extend(&mut self, layers: usize, seq: usize) -> &mut [LayerCache] {
        self.layers.resize_with(layers, LayerCache::default);
        self.len += seq;
        &mut self.layers
    }
}

impl LayerCache {
    /// Appends keys and values and returns all that the cache holds, `[batch, heads, seq, head_dim]` each.
    pub(super) fn append(&mut self, keys: Tensor<4>, values: Tensor<4>) -> [Tensor<4>; 2] {
        let [batch, heads, seq, head_dim] = keys.dims();
        let (start, end) = (self.len, self.len + seq);
        let at = |range: Range<usize>| [0..batch, 0..heads, range, 0..head_dim];
        let [old_keys, old_values] = self.take_slots(&keys, end);
        let keys = old_keys.slice_assign(at(start..end), keys);
        let values = old_values.slice_assign(at(start..end), values);
        self.len = end;
        let all = [&keys, &values].map(|slots| slots.clone().slice(at(0..end)));
        self.slots = Some([keys, values]);
        all
    }

    /// Takes at least `end` slots out of the cache. New slots have the shape of `new`.
    fn take_slots(&mut self, new: &Tensor<4>, end: usize) -> [Tensor<4>; 2] {
        let [batch, heads, _, head_dim] = new.dims();
        let present = self.slots.as_ref().map_or(0, |[keys, _]| keys.dims()[2]);
        let missing = end.next_multiple_of(CHUNK).saturating_sub(present);
        let blank = || {
            let options = (&new.device(), new.dtype());
            Tensor::zeros([batch, heads, missing, head_dim], options)
        };
        match self.slots.take() {
            Some(slots) if missing == 0 => slots,
            Some(slots) => slots.map(|slots| Tensor::cat(vec![slots, blank()], 2)),
            None => [blank(), blank()],
        }
    }

    fn select(&mut self, rows: &[usize]) {
        let Some([keys, values]) = self.slots.take() else { return };
        if rows.iter().copied().eq(0..keys.dims()[0]) {
            self.slots = Some([keys, values]);
            return;
        }
        let indices: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let indices = TensorData::new(indices, [rows.len()]);
        let indices = Tensor::<1, Int>::from_data(indices, &keys.device());
        self.slots = Some([keys, values].map(|slots| slots.select(0, indices.clone())));
    }
}
