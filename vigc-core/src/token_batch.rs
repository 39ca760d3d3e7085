//! Batches of token ids.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// The token ids of several texts, padded to one length, and which of them are tokens. They are in host memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    ids: Vec<u32>,
    mask: Vec<bool>,
    seq: usize,
}

impl TokenBatch {
    /// Pads every row with `pad` at the end.
    #[must_use]
    pub fn pad_right(rows: &[Vec<u32>], pad: u32) -> Self {
        Self::pad(rows, pad, |_, _| 0)
    }

    /// Pads every row with `pad` at the beginning.
    #[must_use]
    pub fn pad_left(rows: &[Vec<u32>], pad: u32) -> Self {
        Self::pad(rows, pad, |seq, len| seq - len)
    }

    fn pad(rows: &[Vec<u32>], pad: u32, start: impl Fn(usize, usize) -> usize) -> Self {
        let seq = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut ids = vec![pad; rows.len() * seq];
        let mut mask = vec![false; rows.len() * seq];
        for (i, row) in rows.iter().enumerate() {
            let from = i * seq + start(seq, row.len());
            ids[from..from + row.len()].copy_from_slice(row);
            mask[from..from + row.len()].fill(true);
        }
        Self { ids, mask, seq }
    }

    /// The number of rows, and their length with padding: `[batch, seq]`.
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        [self.ids.len().checked_div(self.seq).unwrap_or(0), self.seq]
    }

    /// The tokens of one row, without padding.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[u32] {
        let range = row * self.seq..(row + 1) * self.seq;
        let mask = &self.mask[range.clone()];
        let start = mask.iter().position(|&token| token).unwrap_or(0);
        let len = mask.iter().filter(|&&token| token).count();
        &self.ids[range][start..start + len]
    }

    /// The number of tokens in each row.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        let count = |row: &[bool]| row.iter().filter(|&&token| token).count();
        self.mask.chunks(self.seq.max(1)).map(count).collect()
    }

    /// The ids as a tensor, `[batch, seq]`, padding included.
    #[must_use]
    pub fn ids(&self, device: &Device) -> Tensor<2, Int> {
        let ids: Vec<i32> = self.ids.iter().map(|&id| id.cast_signed()).collect();
        Tensor::from_data(TensorData::new(ids, self.dims()), device)
    }

    /// Which positions hold a token, `[batch, seq]`.
    #[must_use]
    pub fn mask(&self, device: &Device) -> Tensor<2, Bool> {
        Tensor::from_data(TensorData::new(self.mask.clone(), self.dims()), device)
    }

    /// Whether all rows have the same number of tokens, so that none is padded.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.mask.iter().all(|&token| token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_to_the_longest_row() {
        let rows = [vec![5, 6, 7], vec![8]];
        let right = TokenBatch::pad_right(&rows, 9);
        let left = TokenBatch::pad_left(&rows, 9);
        assert_eq!(right.ids, [5, 6, 7, 8, 9, 9]);
        assert_eq!(left.ids, [5, 6, 7, 9, 9, 8]);
        assert_eq!(left.mask, [true, true, true, false, false, true]);
        for batch in [right, left] {
            assert_eq!(batch.dims(), [2, 3]);
            assert_eq!(batch.lengths(), [3, 1]);
            assert_eq!((batch.row(0), batch.row(1)), (&rows[0][..], &rows[1][..]));
            assert!(!batch.is_dense());
        }
    }

    #[test]
    fn tensors_keep_ids_and_mask() {
        let batch = TokenBatch::pad_left(&[vec![1], vec![2, 3]], 0);
        let device = Device::default();
        let ids = batch.ids(&device).into_data().convert::<i64>();
        assert_eq!(ids.try_to_vec::<i64>().unwrap(), [0, 1, 2, 3]);
        let tokens: i64 = batch.mask(&device).int().sum().into_scalar();
        assert_eq!(tokens, 3);
    }

    #[test]
    fn an_empty_batch_has_no_rows() {
        assert_eq!(TokenBatch::pad_right(&[], 0).dims(), [0, 0]);
    }
}
