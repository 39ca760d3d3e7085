//! What generation needs from a language model.

#[cfg(feature = "flex")]
mod paged_session;

use std::fmt;
use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::llama::{KvCache, Llama};

/// A model that scores the next token. [`Llama`] is one; tests use a table.
pub trait CausalLm: fmt::Debug {
    /// The number of tokens in the vocabulary.
    fn vocab_size(&self) -> usize;

    /// Reads prompts and scores the token after each one's last.
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

/// Sequences that are being generated, one row each.
pub trait Session {
    /// Appends one token to every row and scores the next.
    ///
    /// # Panics
    ///
    /// Panics if `tokens` has another length than there are rows.
    fn advance(&mut self, tokens: &[u32]) -> Logits;

    /// Replaces the rows by `rows` of the present ones, in that order.
    ///
    /// # Panics
    ///
    /// Panics if a row does not exist.
    fn select(&mut self, rows: &[usize]);

    /// The same sequences, if tokens can be taken back: guesses can then be checked several at a time.
    fn drafting(&mut self) -> Option<&mut dyn Drafting> {
        None
    }
}

/// Sequences whose last tokens can be taken back.
pub trait Drafting {
    /// Appends some tokens to every row, at least one, and scores what follows each of them, row after row. The scores
    /// are what [`Session::advance`] gives, token by token.
    ///
    /// # Panics
    ///
    /// Panics if `tokens` has another length than there are rows.
    fn read(&mut self, tokens: &[&[u32]]) -> Logits;

    /// Takes back the last `counts` tokens of every row.
    ///
    /// # Panics
    ///
    /// Panics if `counts` has another length than there are rows.
    fn take_back(&mut self, counts: &[usize]);
}

/// Scores of the whole vocabulary for several rows, on the host.
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

    /// One row.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.scores[row * self.vocab..(row + 1) * self.vocab]
    }

    /// One row, to be edited.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.scores[row * self.vocab..(row + 1) * self.vocab]
    }
}

impl CausalLm for Llama {
    fn vocab_size(&self) -> usize {
        self.vocab_size()
    }

    fn start(&self, embeds: Tensor<3>, mask: Tensor<2, Bool>) -> (Box<dyn Session + '_>, Logits) {
        #[cfg(feature = "flex")]
        if vigc_core::kernels::has_product_kernels(&embeds.device()) {
            let (session, logits) = paged_session::start(self, embeds, &mask);
            return (Box::new(session), logits);
        }
        let (session, logits) = LlamaSession::start(self, embeds, mask);
        (Box::new(session), logits)
    }
}

impl EmbeddingLm for Llama {
    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.embed(ids)
    }

    fn score(
        &self,
        embeds: Tensor<3>,
        mask: Tensor<2, Bool>,
        positions: Range<usize>,
    ) -> Tensor<3> {
        let [batch, ..] = embeds.dims();
        let states = self.forward(embeds, mask, None);
        self.logits(states.slice([0..batch, positions]))
    }
}

/// A [`Llama`] with what it has read.
#[derive(Debug)]
struct LlamaSession<'a> {
    llama: &'a Llama,
    cache: KvCache,
    mask: Vec<Vec<bool>>,
    device: Device,
}

impl<'a> LlamaSession<'a> {
    fn start(llama: &'a Llama, embeds: Tensor<3>, mask: Tensor<2, Bool>) -> (Self, Logits) {
        let [batch, seq, hidden] = embeds.dims();
        let device = embeds.device();
        let rows = host_rows(&mask);
        let mut cache = KvCache::new();
        let states = llama.forward(embeds, mask, Some(&mut cache));
        let last = |(row, mask): (usize, &Vec<bool>)| {
            let last = mask.iter().rposition(|&token| token).unwrap_or(seq - 1);
            (row * seq + last) as i32
        };
        let last: Vec<i32> = rows.iter().enumerate().map(last).collect();
        let last = Tensor::<1, Int>::from_data(TensorData::new(last, [batch]), &device);
        let states = states.reshape([batch * seq, hidden]).select(0, last);
        let logits = host_logits(llama.logits(states));
        (Self { llama, cache, mask: rows, device }, logits)
    }
}

impl Session for LlamaSession<'_> {
    fn advance(&mut self, tokens: &[u32]) -> Logits {
        assert_eq!(tokens.len(), self.mask.len(), "one token for every row");
        for row in &mut self.mask {
            row.push(true);
        }
        let shape = [tokens.len(), self.cache.len() + 1];
        let mask = TensorData::new(self.mask.concat(), shape);
        let mask = Tensor::<2, Bool>::from_data(mask, &self.device);
        let ids: Vec<i32> = tokens.iter().map(|token| token.cast_signed()).collect();
        let ids = TensorData::new(ids, [tokens.len(), 1]);
        let embeds = self.llama.embed(Tensor::<2, Int>::from_data(ids, &self.device));
        let states = self.llama.forward(embeds, mask, Some(&mut self.cache));
        host_logits(self.llama.logits(states).squeeze_dim(1))
    }

    fn select(&mut self, rows: &[usize]) {
        self.cache.select(rows);
        self.mask = rows.iter().map(|&row| self.mask[row].clone()).collect();
    }
}

/// Reads a mask, row by row.
pub(crate) fn host_rows(mask: &Tensor<2, Bool>) -> Vec<Vec<bool>> {
    let [batch, seq] = mask.dims();
    let mask = mask.to_data_as::<bool>();
    let mask: Vec<bool> = mask.iter::<bool>().collect();
    (0..batch).map(|row| mask[row * seq..(row + 1) * seq].to_vec()).collect()
}

fn host_logits(logits: Tensor<2>) -> Logits {
    let [_, vocab] = logits.dims();
    Logits::new(logits.into_data_as::<f32>().iter::<f32>().collect(), vocab)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::llama::LlamaConfig;

    fn close(a: &Logits, b: &Logits) {
        assert_eq!(a.rows(), b.rows());
        for (a, b) in a.scores.iter().zip(&b.scores) {
            assert!((a - b).abs() < 1e-4, "{a} and {b}");
        }
    }

    /// The session of other devices, run on the CPU, against the CPU's own.
    #[test]
    fn both_sessions_score_alike() {
        let device = Device::default();
        let llama = LlamaConfig::new(37, 32, 2, 4).with_num_key_value_heads(2).init(&device);
        let ids = Tensor::<2, Int>::from_data([[0, 0, 5, 9], [3, 7, 7, 1], [0, 2, 0, 8]], &device);
        let mask = [[false, false, true, true], [true; 4], [true, true, false, true]];
        let mask = Tensor::<2, Bool>::from_data(mask, &device);
        let (mut padded, first) =
            LlamaSession::start(&llama, llama.embed(ids.clone()), mask.clone());
        let (mut paged, second) = paged_session::start(&llama, llama.embed(ids), &mask);
        close(&first, &second);
        for step in 0..40 {
            if step % 9 == 4 {
                padded.select(&[2, 0, 2]);
                paged.select(&[2, 0, 2]);
            }
            let tokens = [step % 37, step * 5 % 37, 11];
            close(&padded.advance(&tokens), &paged.advance(&tokens));
        }
    }
}
