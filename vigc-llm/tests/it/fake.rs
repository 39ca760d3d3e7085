//! A language model that is a table.

use std::collections::BTreeMap;

use burn::tensor::{Bool, Device, Tensor};
use vigc_llm::{CausalLm, Logits, Session};

/// The end token of the tables.
pub(crate) const EOS: u32 = 0;

/// Scores the next token by the last one. A prompt is one position whose first number is its token.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    vocab: usize,
    /// Probabilities after a token. Tokens that are not listed share the rest.
    after: BTreeMap<u32, Vec<(u32, f32)>>,
}

impl Table {
    pub(crate) fn new(vocab: usize, after: &[(u32, &[(u32, f32)])]) -> Self {
        let after = after.iter().map(|(token, next)| (*token, next.to_vec())).collect();
        Self { vocab, after }
    }

    /// Embeddings and mask of prompts of one token each.
    pub(crate) fn prompts(tokens: &[u32]) -> (Tensor<3>, Tensor<2, Bool>) {
        let device = Device::default();
        let tokens: Vec<f32> = tokens.iter().map(|&token| token as f32).collect();
        let rows = tokens.len();
        let embeds = Tensor::<1>::from_data(tokens.as_slice(), &device).reshape([rows, 1, 1]);
        (embeds, Tensor::<2>::ones([rows, 1], &device).greater_elem(0.0))
    }

    fn scores(&self, tokens: &[u32]) -> Logits {
        let row = |token: &u32| {
            let listed = self.after.get(token).map(Vec::as_slice).unwrap_or_default();
            let rest = 1.0 - listed.iter().map(|(_, p)| p).sum::<f32>();
            let each = rest.max(1e-12) / (self.vocab - listed.len()).max(1) as f32;
            let mut row = vec![each; self.vocab];
            for &(token, p) in listed {
                row[token as usize] = p;
            }
            row.into_iter().map(f32::ln).collect::<Vec<_>>()
        };
        Logits::new(tokens.iter().flat_map(row).collect(), self.vocab)
    }
}

impl CausalLm for Table {
    fn vocab_size(&self) -> usize {
        self.vocab
    }

    fn start(&self, embeds: Tensor<3>, _: Tensor<2, Bool>) -> (Box<dyn Session + '_>, Logits) {
        let tokens: Vec<f32> = embeds.to_data().iter::<f32>().collect();
        let tokens: Vec<u32> = tokens.into_iter().map(|token| token as u32).collect();
        let logits = self.scores(&tokens);
        (Box::new(TableSession { table: self, rows: tokens.len() }), logits)
    }
}

struct TableSession<'a> {
    table: &'a Table,
    rows: usize,
}

impl Session for TableSession<'_> {
    fn advance(&mut self, tokens: &[u32]) -> Logits {
        assert_eq!(tokens.len(), self.rows);
        self.table.scores(tokens)
    }

    fn select(&mut self, rows: &[usize]) {
        assert!(rows.iter().all(|&row| row < self.rows));
        self.rows = rows.len();
    }
}
