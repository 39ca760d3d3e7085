//! The loss of a language model: the cross-entropy of the next token at every position that has a label.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use vigc_core::kernels::cross_entropy;

/// The label of a token that is not to be predicted.
pub const IGNORE_INDEX: i64 = -100;

/// The tokens to predict in a batch, and the positions that predict them.
///
/// Position `i` of a row predicts the token at `i + 1`. The positions are known before the output layer runs, so that layer
/// skips prompts, padding and soft tokens.
///
/// ```
/// use vigc_llm::loss::{IGNORE_INDEX, NextTokenTargets};
///
/// // Two soft tokens and a prompt of one token, then an answer of two.
/// let next = NextTokenTargets::from_labels(&[vec![IGNORE_INDEX, IGNORE_INDEX, IGNORE_INDEX, 7, 2]]);
/// assert_eq!(next.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextTokenTargets {
    /// Flat positions: `row * seq + column`.
    positions: Vec<i32>,
    tokens: Vec<i32>,
    per_row: Vec<usize>,
    seq: usize,
}

impl NextTokenTargets {
    /// Takes labels, one row for each sequence, with a label for each position of the embeddings.
    ///
    /// The label of a position is the token *at* that position or [`IGNORE_INDEX`], as in Hugging Face's models. The first
    /// label of a row is never used.
    ///
    /// # Panics
    ///
    /// Panics if the rows have different lengths or a label is neither a token nor [`IGNORE_INDEX`].
    #[must_use]
    pub fn from_labels(labels: &[Vec<i64>]) -> Self {
        let seq = labels.first().map_or(0, Vec::len);
        let mut next = Self { positions: Vec::new(), tokens: Vec::new(), per_row: Vec::new(), seq };
        for (row, labels) in labels.iter().enumerate() {
            assert_eq!(labels.len(), seq, "rows of labels must have one length");
            let before = next.tokens.len();
            for (column, &label) in labels.iter().enumerate().skip(1) {
                if label != IGNORE_INDEX {
                    let token = i32::try_from(label).ok().filter(|&token| token >= 0);
                    next.tokens.push(token.expect("a label must be a token or IGNORE_INDEX"));
                    next.positions.push((row * seq + column - 1) as i32);
                }
            }
            next.per_row.push(next.tokens.len() - before);
        }
        next
    }

    /// The number of tokens to predict.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no tokens to predict.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The number of tokens to predict in each row.
    #[must_use]
    pub fn per_row(&self) -> &[usize] {
        &self.per_row
    }

    /// The hidden states that predict a token.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, seq, hidden]`
    /// - output: `[len, hidden]`
    ///
    /// # Panics
    ///
    /// Panics if the labels were for another batch or sequence length.
    #[must_use]
    pub fn select(&self, hidden: Tensor<3>) -> Tensor<2> {
        let [batch, seq, width] = hidden.dims();
        assert_eq!([batch, seq], [self.per_row.len(), self.seq], "labels and states must agree");
        let device = hidden.device();
        hidden.reshape([batch * seq, width]).select(0, ints(&self.positions, &device))
    }

    /// The logarithm of each token's probability, row after row.
    ///
    /// # Shapes
    ///
    /// - logits: `[len, vocab]`, of the states from [`NextTokenTargets::select`]
    /// - output: `[len]`, in f32
    #[must_use]
    pub fn log_probs(&self, logits: Tensor<2>) -> Tensor<1> {
        let logits = logits.cast(DType::F32);
        let tokens = self.tokens(&logits.device());
        cross_entropy(logits, tokens).neg()
    }

    /// The tokens to predict, row after row, `[len]`.
    #[must_use]
    pub fn tokens(&self, device: &Device) -> Tensor<1, Int> {
        ints(&self.tokens, device)
    }
}

fn ints(values: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_predicts_the_token_after_it() {
        let next = NextTokenTargets::from_labels(&[
            vec![9, IGNORE_INDEX, 4, 5],
            vec![IGNORE_INDEX; 4],
            vec![IGNORE_INDEX, 1, IGNORE_INDEX, 2],
        ]);
        assert_eq!(next.positions, [1, 2, 8, 10]);
        assert_eq!(next.tokens, [4, 5, 1, 2]);
        assert_eq!(next.per_row(), [2, 0, 2]);
    }
}
