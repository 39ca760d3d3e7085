//! Several texts about the same thing in one row, so that nothing is spent on padding.

use burn::tensor::{Device, Int, Tensor, TensorData};
use vigc_llm::loss::{IGNORE_INDEX, NextTokenTargets};

use super::splice::SplicedRow;

/// Added to the score of a token that may not be seen.
const HIDDEN: f32 = -1e30;

/// A prefix and texts behind it, each of them after soft places of its own. A text sees the prefix and
/// itself, at the positions that it would have alone, so the row means the same as a row for each text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackedRow {
    prefix: usize,
    ids: Vec<u32>,
    labels: Vec<i64>,
    /// Where each text begins.
    starts: Vec<usize>,
}

impl PackedRow {
    /// A row whose prefix is not made of tokens: `soft` places are kept for it, with any token in them.
    #[must_use]
    pub fn behind_soft_tokens(soft: usize) -> Self {
        Self {
            prefix: soft,
            ids: vec![0; soft],
            labels: vec![IGNORE_INDEX; soft],
            starts: Vec::new(),
        }
    }

    /// A row whose prefix is a text that is learned, too.
    #[must_use]
    pub fn behind_text(prefix: Vec<u32>) -> Self {
        let labels = prefix.iter().map(|&id| i64::from(id)).collect();
        Self { prefix: prefix.len(), ids: prefix, labels, starts: Vec::new() }
    }

    /// The number of places taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is nothing in the row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The number of texts.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.starts.len()
    }

    /// Adds a text behind `soft` places of its own; gives the first of them.
    pub fn push(&mut self, soft: usize, text: &SplicedRow) -> usize {
        let start = self.ids.len();
        self.starts.push(start);
        self.ids.resize(start + soft, 0);
        self.ids.extend(&text.ids);
        self.labels.resize(start + soft + 1, IGNORE_INDEX);
        self.labels.extend(&text.labels[1..]);
        start
    }

    /// The text that a place belongs to; none for the prefix.
    fn text_of(&self, place: usize) -> Option<usize> {
        self.starts.iter().rposition(|&start| start <= place)
    }
}

/// Rows of equal length.
#[derive(Debug, Clone)]
pub struct PackedBatch {
    ids: Vec<i32>,
    positions: Vec<i32>,
    bias: Vec<f32>,
    shape: [usize; 2],
    /// What is to be predicted.
    pub next: NextTokenTargets,
    /// The number of texts.
    pub texts: usize,
}

impl PackedBatch {
    /// Puts rows together, filling up the shorter ones with `pad`.
    #[must_use]
    pub fn new(rows: &[PackedRow], pad: u32) -> Self {
        let seq = rows.iter().map(PackedRow::len).max().unwrap_or(0);
        let shape = [rows.len(), seq];
        let (mut ids, mut positions) = (Vec::new(), Vec::new());
        let mut bias = vec![HIDDEN; rows.len() * seq * seq];
        let mut labels = Vec::new();
        for (row, bias) in rows.iter().zip(bias.chunks_mut((seq * seq).max(1))) {
            let texts: Vec<_> = (0..seq).map(|place| row.text_of(place)).collect();
            for (place, text) in texts.iter().enumerate() {
                let start = text.map_or(0, |text| row.starts[text]);
                let position = if text.is_some() { row.prefix + place - start } else { place };
                positions.push(i32::try_from(position).unwrap_or(i32::MAX));
                ids.push(row.ids.get(place).map_or(pad, |&id| id).cast_signed());
                let seen = &mut bias[place * seq..=place * seq + place];
                seen[..row.prefix.min(place + 1)].fill(0.0);
                seen[start..].fill(0.0);
            }
            let mut row_labels = row.labels.clone();
            row_labels.resize(seq, IGNORE_INDEX);
            labels.push(row_labels);
        }
        let next = NextTokenTargets::from_labels(&labels);
        let texts = rows.iter().map(PackedRow::texts).sum();
        Self { ids, positions, bias, shape, next, texts }
    }

    /// `[batch, seq]`.
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        self.shape
    }

    /// Ids, positions, both `[batch, seq]`, and the bias of scores, `[batch, 1, seq, seq]`.
    #[must_use]
    pub fn tensors(&self, device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>, Tensor<4>) {
        let [batch, seq] = self.shape;
        let ints = |numbers: &Vec<i32>| {
            Tensor::from_data(TensorData::new(numbers.clone(), self.shape), device)
        };
        let bias = TensorData::new(self.bias.clone(), [batch, 1, seq, seq]);
        (ints(&self.ids), ints(&self.positions), Tensor::from_data(bias, device))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Bool, Tolerance};
    use vigc_llm::llama::LlamaConfig;

    use super::*;

    fn text(prompt: &[u32], answer: &[u32]) -> SplicedRow {
        SplicedRow::from_tokens(prompt.to_vec(), answer)
    }

    #[test]
    fn a_packed_text_reads_as_it_would_alone() {
        let device = Device::default();
        device.seed(1);
        let llama = LlamaConfig::new(16)
            .with_vocab_size(32)
            .with_num_hidden_layers(2)
            .with_num_attention_heads(2)
            .init(&device);
        let prefix = vec![2, 9, 8];
        let texts = [text(&[2, 5, 6], &[7, 2]), text(&[2, 11], &[12, 13, 2])];
        let mut row = PackedRow::behind_text(prefix.clone());
        for text in &texts {
            row.push(0, text);
        }
        let short = PackedRow::behind_text(prefix.clone());
        let batch = PackedBatch::new(&[row, short], 0);
        assert_eq!((batch.dims(), batch.texts), ([2, 13], 2));
        let (ids, positions, bias) = batch.tensors(&device);
        let packed = llama.forward_packed(llama.embed(ids), positions, bias);
        for (text, from) in texts.iter().zip([3, 8]) {
            let ids: Vec<i32> = prefix.iter().chain(&text.ids).map(|&id| id as i32).collect();
            let seq = ids.len();
            let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, seq]), &device);
            let mask = Tensor::<2, Bool>::full([1, seq], true, &device);
            let alone = llama.forward(llama.embed(ids), mask, None).narrow(1, 3, seq - 3);
            let found = packed.clone().narrow(0, 0, 1).narrow(1, from, seq - 3);
            alone
                .into_data()
                .assert_approx_eq::<f32>(&found.into_data(), Tolerance::absolute(1e-5));
        }
    }

    #[test]
    fn only_answers_and_a_prefix_of_text_are_learned() {
        let mut row = PackedRow::behind_soft_tokens(2);
        row.push(0, &text(&[2, 5], &[7, 2]));
        row.push(0, &text(&[2, 6], &[8, 2]));
        let batch = PackedBatch::new(std::slice::from_ref(&row), 0);
        assert_eq!(batch.next.len(), 4);
        let mut row = PackedRow::behind_text(vec![2, 9]);
        row.push(0, &text(&[2, 5], &[7, 2]));
        assert_eq!(PackedBatch::new(&[row], 0).next.len(), 3);
    }
}
