//! The loss of a language model: cross-entropy of each next token, where a label asks for one.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use vigc_core::kernels::cross_entropy;

use crate::llama::Llama;

/// The label of a position whose token need not be predicted.
pub const IGNORED: i64 = -100;

/// Which positions of a batch predict what, kept on the host.
///
/// Position `i` of a row predicts the token at `i + 1`. Knowing the positions before the output
/// layer runs saves it from scoring the vocabulary where nobody looks: prompts, padding and soft
/// tokens.
///
/// ```
/// use vigc_llm::loss::{IGNORED, NextTokens};
///
/// // Two soft tokens and a prompt of one token, then an answer of two.
/// let next = NextTokens::from_labels(&[vec![IGNORED, IGNORED, IGNORED, 7, 2]]);
/// assert_eq!(next.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextTokens {
    /// Flat positions, `row * seq + column`.
    positions: Vec<i32>,
    tokens: Vec<i32>,
    per_row: Vec<usize>,
    seq: usize,
}

impl NextTokens {
    /// Reads labels, one row per sequence, as long as the embeddings that the model reads.
    ///
    /// The label of a position is the token *at* it, or [`IGNORED`], as in Hugging Face's models; a
    /// row's first label is never used.
    ///
    /// # Panics
    ///
    /// Panics if the rows have different lengths or a label is neither a token nor [`IGNORED`].
    #[must_use]
    pub fn from_labels(labels: &[Vec<i64>]) -> Self {
        let seq = labels.first().map_or(0, Vec::len);
        let mut next = Self { positions: Vec::new(), tokens: Vec::new(), per_row: Vec::new(), seq };
        for (row, labels) in labels.iter().enumerate() {
            assert_eq!(labels.len(), seq, "rows of labels must have one length");
            let before = next.tokens.len();
            for (column, &label) in labels.iter().enumerate().skip(1) {
                if label != IGNORED {
                    let token = i32::try_from(label).ok().filter(|&token| token >= 0);
                    next.tokens.push(token.expect("a label must be a token or IGNORED"));
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

    /// Whether there is nothing to predict.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The number of tokens to predict in each row.
    #[must_use]
    pub fn per_row(&self) -> &[usize] {
        &self.per_row
    }

    /// The states that predict a token.
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
    /// - logits: `[len, vocab]`, of the states from [`NextTokens::select`]
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

/// The mean cross-entropy of the tokens to predict, `[1]`; 0 if there are none.
///
/// # Shapes
///
/// - hidden: `[batch, seq, hidden]`, from [`Llama::forward`]
///
/// # Panics
///
/// Panics if `next` was made for another batch or sequence length.
#[must_use]
pub fn next_token_loss(llama: &Llama, hidden: Tensor<3>, next: &NextTokens) -> Tensor<1> {
    if next.is_empty() {
        return hidden.sum().mul_scalar(0.0);
    }
    next.log_probs(llama.logits(next.select(hidden))).mean().neg()
}

fn ints(values: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_predicts_the_token_after_it() {
        let next = NextTokens::from_labels(&[
            vec![9, IGNORED, 4, 5],
            vec![IGNORED; 4],
            vec![IGNORED, 1, IGNORED, 2],
        ]);
        assert_eq!(next.positions, [1, 2, 8, 10]);
        assert_eq!(next.tokens, [4, 5, 1, 2]);
        assert_eq!(next.per_row(), [2, 0, 2]);
    }

    #[test]
    fn nothing_to_predict_costs_nothing() {
        let device = Device::default();
        let llama = crate::llama::LlamaConfig::new(8, 4, 1, 1).init(&device);
        let next = NextTokens::from_labels(&[vec![IGNORED; 3]]);
        let loss = next_token_loss(&llama, Tensor::ones([1, 3, 4], &device), &next);
        assert_eq!(loss.into_scalar::<f32>(), 0.0);
    }
}
