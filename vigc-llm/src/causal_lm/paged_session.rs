//! Generation on the CPU: rows of any length without padding.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::{Drafting, Logits, Session, host_logits, host_rows};
use crate::llama::{Llama, PagedCache};

/// A [`Llama`] with what it has read.
#[derive(Debug)]
pub(super) struct PagedSession<'a> {
    llama: &'a Llama,
    cache: PagedCache,
    device: Device,
}

/// Reads prompts and scores what follows each.
pub(super) fn start<'a>(
    llama: &'a Llama,
    embeds: Tensor<3>,
    mask: &Tensor<2, Bool>,
) -> (PagedSession<'a>, Logits) {
    let [batch, seq, hidden] = embeds.dims();
    let device = embeds.device();
    let rows = host_rows(mask);
    let tokens = rows.concat().into_iter().enumerate().filter(|(_, is_token)| *is_token);
    let tokens: Vec<i32> = tokens.map(|(at, _)| at as i32).collect();
    let new: Vec<_> = rows.iter().map(|row| row.iter().filter(|token| **token).count()).collect();
    let embeds = embeds.reshape([batch * seq, hidden]).select(0, indices(tokens, &device));
    let mut session = PagedSession { llama, cache: PagedCache::new(llama, batch), device };
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

fn indices(rows: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), device)
}

impl Session for PagedSession<'_> {
    fn advance(&mut self, tokens: &[u32]) -> Logits {
        let tokens: Vec<_> = tokens.chunks(1).collect();
        self.read(&tokens)
    }

    fn select(&mut self, rows: &[usize]) {
        self.cache.select(rows);
    }

    fn drafting(&mut self) -> Option<&mut dyn Drafting> {
        Some(self)
    }
}

impl Drafting for PagedSession<'_> {
    fn read(&mut self, tokens: &[&[u32]]) -> Logits {
        assert_eq!(tokens.len(), self.cache.rows(), "tokens for every row");
        let new: Vec<_> = tokens.iter().map(|tokens| tokens.len()).collect();
        let ids: Vec<i32> = tokens.concat().into_iter().map(u32::cast_signed).collect();
        let ids = TensorData::new(ids, [1, new.iter().sum()]);
        let embeds = self.llama.embed(Tensor::<2, Int>::from_data(ids, &self.device));
        let states = self.llama.read(embeds.squeeze_dim(0), &new, &mut self.cache);
        host_logits(self.llama.logits(states))
    }

    fn take_back(&mut self, counts: &[usize]) {
        assert_eq!(counts.len(), self.cache.rows(), "a count for every row");
        for (row, count) in counts.iter().enumerate() {
            self.cache.truncate(row, self.cache.len(row) - count);
        }
    }
}
