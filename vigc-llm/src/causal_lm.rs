//! What generation needs of a language model.

use std::fmt;
use std::ops::Range;

use burn::tensor::{Bool, Int, Tensor};

/// A model that scores the next token. [`Llama`](crate::llama::Llama) is one; tests use a table of probabilities.
pub trait CausalLm: fmt::Debug {
    /// The number of tokens in the vocabulary.
    fn vocab_size(&self) -> usize;

    /// Reads prompts and scores the token after the last one of each.
    ///
    /// # Shapes
    ///
    /// - embeds: `[batch, seq, hidden]`
    /// - mask: `[batch, seq]`, `true` for a token, at least one in every row
    fn start(&self, embeds: Tensor<3>, mask: Tensor<2, Bool>) -> (Box<dyn Session + '_>, Logits);
}

/// A [`CausalLm`] that embeds its own tokens, so that a caller can put other embeddings before or among them.
pub trait EmbeddingLm: CausalLm {
    /// Looks up the embeddings of tokens.
    ///
    /// # Shapes
    ///
    /// - ids: `[batch, seq]`
    /// - output: `[batch, seq, hidden]`
    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3>;

    /// Scores the token that follows each of some positions, in one pass.
    ///
    /// # Shapes
    ///
    /// - embeds: `[batch, seq, hidden]`
    /// - mask: `[batch, seq]`, `true` for a token
    /// - output: `[batch, positions.len(), vocab]`
    fn score(&self, embeds: Tensor<3>, mask: Tensor<2, Bool>, positions: Range<usize>)
    -> Tensor<3>;
}

/// Sequences that are being generated, one in each row.
pub trait Session {
    /// Appends one token to every row and scores the next.
    ///
    /// # Panics
    ///
    /// Panics if the number of `tokens` is not the number of rows.
    fn advance(&mut self, tokens: &[u32]) -> Logits;

    /// Replaces the rows by `rows` of the present ones, in that order.
    ///
    /// # Panics
    ///
    /// Panics if a row does not exist.
    fn select(&mut self, rows: &[usize]);

    /// The same sequences, if tokens can be rolled back. Generation then tries several tokens of a draft in one pass
    /// (speculative decoding).
    fn speculative(&mut self) -> Option<&mut dyn SpeculativeSession> {
        None
    }
}

/// Sequences whose last tokens can be rolled back.
pub trait SpeculativeSession {
    /// Appends at least one token to every row and scores the token after each of them, row after row. The scores are
    /// those that [`Session::advance`] returns token by token.
    ///
    /// # Panics
    ///
    /// Panics if the number of `tokens` is not the number of rows.
    fn advance_by(&mut self, tokens: &[&[u32]]) -> Logits;

    /// Removes the last `counts` tokens of every row.
    ///
    /// # Panics
    ///
    /// Panics if the number of `counts` is not the number of rows.
    fn roll_back(&mut self, counts: &[usize]);
}

/// Scores of the whole vocabulary for several rows, in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    scores: Vec<f32>,
    vocab: usize,
}

impl Logits {
    /// Wraps scores, row by row.
    ///
    /// # Panics
    ///
    /// Panics if the scores do not divide into rows of `vocab`.
    #[must_use]
    pub fn new(scores: Vec<f32>, vocab: usize) -> Self {
        assert!(vocab > 0 && scores.len().is_multiple_of(vocab), "scores must form whole rows");
        Self { scores, vocab }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.scores.len() / self.vocab
    }

    /// The scores of one row.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.scores[row * self.vocab..(row + 1) * self.vocab]
    }

    /// The scores of one row, to be edited.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.scores[row * self.vocab..(row + 1) * self.vocab]
    }
}

/// Copies a mask to the host, row by row.
pub(crate) fn host_rows(mask: &Tensor<2, Bool>) -> Vec<Vec<bool>> {
    let [batch, seq] = mask.dims();
    let mask = mask.to_data_as::<bool>();
    let mask: Vec<bool> = mask.iter::<bool>().collect();
    (0..batch).map(|row| mask[row * seq..(row + 1) * seq].to_vec()).collect()
}
