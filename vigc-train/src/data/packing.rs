//! Prompts and answers as labeled tokens, with several of them in one row, so that nothing is spent on padding.

use burn::tensor::{Device, Int, Tensor, TensorData};
use vigc_llm::loss::{IGNORE_INDEX, NextTokenTargets};
use vigc_llm::tokenizer::TextTokenizer;

/// The most tokens of a prompt that the upstream program keeps: its last ones.
const MAX_PROMPT: usize = 128;
/// The most tokens of an answer that the upstream program keeps, with the begin token: its first ones.
const MAX_ANSWER: usize = 256;

/// The tokens of a prompt and its answer, and what each token should be predicted as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabeledTokens {
    /// The tokens of the prompt, then those of the answer.
    pub ids: Vec<u32>,
    /// [`IGNORE_INDEX`] for the tokens of the prompt, the token itself for those of the answer.
    pub labels: Vec<i64>,
}

impl LabeledTokens {
    /// Encodes a prompt and its answer (`concat_text_input_output` of the upstream program).
    ///
    /// The prompt starts with the begin token and loses its first tokens if it is too long. The answer ends with the end
    /// token and loses its last tokens, including the end token, if it is too long.
    ///
    /// # Errors
    ///
    /// [`vigc_llm::Error::Text`] if a text cannot be encoded.
    pub fn encode(tokenizer: &TextTokenizer, prompt: &str, answer: &str) -> vigc_llm::Result<Self> {
        let mut prompt = tokenizer.encode(prompt)?;
        let mut answer = tokenizer.encode_target(answer)?;
        prompt.drain(..prompt.len().saturating_sub(MAX_PROMPT));
        // The upstream program counts the begin token of the answer, which is dropped here.
        answer.truncate(MAX_ANSWER - 1);
        Ok(Self::from_tokens(prompt, &answer))
    }

    /// Puts the tokens of an answer behind those of its prompt.
    #[must_use]
    pub fn from_tokens(prompt: Vec<u32>, answer: &[u32]) -> Self {
        let mut labels = vec![IGNORE_INDEX; prompt.len()];
        labels.extend(answer.iter().map(|&id| i64::from(id)));
        let mut ids = prompt;
        ids.extend_from_slice(answer);
        Self { ids, labels }
    }
}

/// What is added to the attention score of a token that must not be seen.
const HIDDEN: f32 = -1e30;

/// A row of a prefix and several texts, each of which follows soft tokens of its own.
///
/// A text attends to the prefix and to itself, at the positions that it would have if it stood alone behind the prefix. So
/// the row is equivalent to one row for each text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackedRow {
    prefix: usize,
    ids: Vec<u32>,
    labels: Vec<i64>,
    /// Where each text begins.
    starts: Vec<usize>,
}

impl PackedRow {
    /// A row whose prefix is `soft` soft tokens. Their places hold arbitrary ids.
    #[must_use]
    pub fn behind_soft_tokens(soft: usize) -> Self {
        Self {
            prefix: soft,
            ids: vec![0; soft],
            labels: vec![IGNORE_INDEX; soft],
            starts: Vec::new(),
        }
    }

    /// A row whose prefix is a text, which is learned as well.
    #[must_use]
    pub fn behind_text(prefix: Vec<u32>) -> Self {
        let labels = prefix.iter().map(|&id| i64::from(id)).collect();
        Self { prefix: prefix.len(), ids: prefix, labels, starts: Vec::new() }
    }

    /// The number of tokens and soft tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the row is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The number of texts.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.starts.len()
    }

    /// Adds a text behind `soft` soft tokens of its own. Returns the index of the first soft token.
    pub fn push(&mut self, soft: usize, text: &LabeledTokens) -> usize {
        let start = self.ids.len();
        self.starts.push(start);
        self.ids.resize(start + soft, 0);
        self.ids.extend(&text.ids);
        self.labels.resize(start + soft + 1, IGNORE_INDEX);
        self.labels.extend(&text.labels[1..]);
        start
    }

    /// The text that a token belongs to; `None` for the prefix.
    fn text_of(&self, place: usize) -> Option<usize> {
        self.starts.iter().rposition(|&start| start <= place)
    }
}

/// Packed rows, padded to the same length.
#[derive(Debug, Clone)]
pub struct PackedBatch {
    ids: Vec<i32>,
    positions: Vec<i32>,
    bias: Vec<f32>,
    shape: [usize; 2],
    /// The tokens to predict.
    pub next: NextTokenTargets,
    /// The number of texts.
    pub texts: usize,
}

impl PackedBatch {
    /// Pads rows at their end with the token `pad`.
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

    /// The shape `[batch, seq]`.
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        self.shape
    }

    /// The ids, the positions and the bias that is added to attention scores.
    ///
    /// # Shapes
    ///
    /// Ids and positions `[batch, seq]`, bias `[batch, 1, seq, seq]`.
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

    fn text(prompt: &[u32], answer: &[u32]) -> LabeledTokens {
        LabeledTokens::from_tokens(prompt.to_vec(), answer)
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

    #[test]
    fn only_the_answer_is_learned() {
        let row = LabeledTokens::from_tokens(vec![2, 12], &[22, 2]);
        assert_eq!(row.ids, [2, 12, 22, 2]);
        assert_eq!(row.labels, [IGNORE_INDEX, IGNORE_INDEX, 22, 2]);
    }

    #[test]
    fn long_texts_are_cut_as_upstream_cuts_them() {
        let bytes = vigc_llm::tokenizer::train::llama_bpe(["a b c d"], 270).unwrap().to_bytes();
        let reference = vigc_llm::tokenizer::SpecialTokens::upstream();
        let tokenizer = TextTokenizer::from_bytes("tiny", &bytes, &reference).unwrap();
        let row = LabeledTokens::encode(&tokenizer, &"a ".repeat(200), &"b ".repeat(400)).unwrap();
        let prompt = row.labels.iter().filter(|&&label| label == IGNORE_INDEX).count();
        assert_eq!((prompt, row.ids.len() - prompt), (MAX_PROMPT, MAX_ANSWER - 1));
        assert_ne!(row.ids[0], tokenizer.bos_id(), "the beginning is what a long prompt loses");
        assert_ne!(row.ids.last(), Some(&tokenizer.eos_id()), "a long answer loses its end");
        let short = LabeledTokens::encode(&tokenizer, "a", "b").unwrap();
        assert_eq!(short.ids[0], tokenizer.bos_id());
        assert_eq!(short.ids.last(), Some(&tokenizer.eos_id()));
    }
}
