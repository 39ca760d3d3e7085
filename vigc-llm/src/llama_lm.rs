//! LLaMA as a [`CausalLm`]: with a padded cache on any device, with a paged cache on the CPU.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

#[cfg(feature = "flex")]
use crate::causal_lm::SpeculativeSession;
use crate::causal_lm::{CausalLm, EmbeddingLm, Logits, Session, host_rows};
#[cfg(feature = "flex")]
use crate::llama::PagedCache;
use crate::llama::{KvCache, Llama};

impl CausalLm for Llama {
    fn vocab_size(&self) -> usize {
        self.vocab_size()
    }

    fn start(&self, embeds: Tensor<3>, mask: Tensor<2, Bool>) -> (Box<dyn Session + '_>, Logits) {
        #[cfg(feature = "flex")]
        if vigc_core::kernels::has_product_kernels(&embeds.device()) {
            let (session, logits) = PagedSession::start(self, embeds, &mask);
            return (Box::new(session), logits);
        }
        let (session, logits) = PaddedSession::start(self, embeds, mask);
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

/// Sequences in a [`KvCache`], padded to one length.
#[derive(Debug)]
struct PaddedSession<'a> {
    llama: &'a Llama,
    cache: KvCache,
    mask: Vec<Vec<bool>>,
    device: Device,
}

impl<'a> PaddedSession<'a> {
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
        let last = rows.iter().enumerate().map(last).collect();
        let states = states.reshape([batch * seq, hidden]).select(0, indices(last, &device));
        let logits = host_logits(llama.logits(states));
        (Self { llama, cache, mask: rows, device }, logits)
    }
}

impl Session for PaddedSession<'_> {
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

/// Sequences of any length in a [`PagedCache`], without padding.
#[cfg(feature = "flex")]
#[derive(Debug)]
struct PagedSession<'a> {
    llama: &'a Llama,
    cache: PagedCache,
    device: Device,
}

#[cfg(feature = "flex")]
impl<'a> PagedSession<'a> {
    fn start(llama: &'a Llama, embeds: Tensor<3>, mask: &Tensor<2, Bool>) -> (Self, Logits) {
        let [batch, seq, hidden] = embeds.dims();
        let device = embeds.device();
        let rows = host_rows(mask);
        let tokens = rows.concat().into_iter().enumerate().filter(|(_, is_token)| *is_token);
        let tokens = tokens.map(|(at, _)| at as i32).collect();
        let new: Vec<_> =
            rows.iter().map(|row| row.iter().filter(|token| **token).count()).collect();
        let embeds = embeds.reshape([batch * seq, hidden]).select(0, indices(tokens, &device));
        let mut session = Self { llama, cache: llama.paged_cache(batch), device };
        let states = llama.read(embeds, &new, &mut session.cache);
        let mut end = 0;
        let last = new.iter().map(|new| {
            end += new;
            end as i32 - 1
        });
        let states = states.select(0, indices(last.collect(), &session.device));
        let logits = host_logits(llama.logits(states));
        (session, logits)
    }
}

#[cfg(feature = "flex")]
impl Session for PagedSession<'_> {
    fn advance(&mut self, tokens: &[u32]) -> Logits {
        let tokens: Vec<_> = tokens.chunks(1).collect();
        self.advance_by(&tokens)
    }

    fn select(&mut self, rows: &[usize]) {
        self.cache.select(rows);
    }

    fn speculative(&mut self) -> Option<&mut dyn SpeculativeSession> {
        Some(self)
    }
}

#[cfg(feature = "flex")]
impl SpeculativeSession for PagedSession<'_> {
    fn advance_by(&mut self, tokens: &[&[u32]]) -> Logits {
        assert_eq!(tokens.len(), self.cache.rows(), "tokens for every row");
        let new: Vec<_> = tokens.iter().map(|tokens| tokens.len()).collect();
        let ids: Vec<i32> = tokens.concat().into_iter().map(u32::cast_signed).collect();
        let ids = TensorData::new(ids, [1, new.iter().sum()]);
        let embeds = self.llama.embed(Tensor::<2, Int>::from_data(ids, &self.device));
        let states = self.llama.read(embeds.squeeze_dim(0), &new, &mut self.cache);
        host_logits(self.llama.logits(states))
    }

    fn roll_back(&mut self, counts: &[usize]) {
        assert_eq!(counts.len(), self.cache.rows(), "a count for every row");
        for (row, count) in counts.iter().enumerate() {
            self.cache.truncate(row, self.cache.len(row) - count);
        }
    }
}

fn indices(rows: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), device)
}

fn host_logits(logits: Tensor<2>) -> Logits {
    let [_, vocab] = logits.dims();
    Logits::new(logits.into_data_as::<f32>().iter::<f32>().collect(), vocab)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::llama::LlamaConfig;

    fn assert_close(a: &Logits, b: &Logits) {
        assert_eq!(a.rows(), b.rows());
        for row in 0..a.rows() {
            for (a, b) in a.row(row).iter().zip(b.row(row)) {
                assert!((a - b).abs() < 1e-4, "{a} and {b}");
            }
        }
    }

    #[test]
    fn both_sessions_compute_the_same_scores() {
        let device = Device::default();
        let llama = LlamaConfig::new(32)
            .with_vocab_size(37)
            .with_num_hidden_layers(2)
            .with_num_attention_heads(4)
            .with_num_key_value_heads(2)
            .init(&device);
        let ids = Tensor::<2, Int>::from_data([[0, 0, 5, 9], [3, 7, 7, 1], [0, 2, 0, 8]], &device);
        let mask = [[false, false, true, true], [true; 4], [true, true, false, true]];
        let mask = Tensor::<2, Bool>::from_data(mask, &device);
        let (mut padded, first) =
            PaddedSession::start(&llama, llama.embed(ids.clone()), mask.clone());
        let (mut paged, second) = PagedSession::start(&llama, llama.embed(ids), &mask);
        assert_close(&first, &second);
        for step in 0..40 {
            if step % 9 == 4 {
                padded.select(&[2, 0, 2]);
                paged.select(&[2, 0, 2]);
            }
            let tokens = [step % 37, step * 5 % 37, 11];
            assert_close(&padded.advance(&tokens), &paged.advance(&tokens));
        }
    }
}
