//! From the embeddings of prompts to texts: a language model with its tokenizer.

use std::fmt;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Int, Tensor, TensorData};
use vigc_core::TokenBatch;

use super::config::GenerationConfig;
use super::generate::generate_with_draft;
use super::generated::Generated;
use super::stop::StopCondition;
use super::strategy::Strategy;
use crate::Result;
use crate::causal_lm::EmbeddingLm;
use crate::tokenizer::TextTokenizer;

/// A caller's expectations of a text that is about to be generated.
///
/// A hint makes a text cheaper to generate. It does not change the part of the text that the caller keeps, unless
/// `stops_beams` is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct GenerationHint<'a> {
    /// A text that the generated one probably resembles, such as the text that is being corrected. Empty if there is
    /// none. A model may check several of its tokens in one pass.
    pub draft: &'a str,
    /// Decides that the text is long enough although the model would go on.
    pub until: Option<&'a dyn TextEnd>,
    /// Whether a beam search stops at `until`, too. Greedy decoding and sampling always do, which does not change the
    /// text up to there. A beam that stops early competes with the others by the probability of a shorter text, so
    /// another text may win.
    pub stops_beams: bool,
}

/// Decides when a text is long enough.
pub trait TextEnd: fmt::Debug + Sync {
    /// Whether `text` is long enough, so that the caller ignores everything after it.
    fn is_enough(&self, text: &str) -> bool;
}

/// A language model and its tokenizer: continues prompts that are embeddings, and returns texts.
///
/// ```
/// use burn::tensor::Device;
/// use vigc_core::TokenBatch;
/// use vigc_llm::generation::{GenerationConfig, TextGenerator};
/// use vigc_llm::llama::LlamaConfig;
/// use vigc_llm::tokenizer::{SpecialTokens, TextTokenizer, train::llama_bpe};
///
/// # fn main() -> vigc_llm::Result<()> {
/// let device = Device::default();
/// let trained = llama_bpe(["a cat sits on a mat"], 300)?;
/// let tokenizer = TextTokenizer::from_bytes("tiny", &trained.to_bytes(), &SpecialTokens::upstream())?;
/// let llama = LlamaConfig::new(16).with_vocab_size(tokenizer.vocab_size()).with_num_hidden_layers(2).with_num_attention_heads(4).init(&device);
///
/// let generator = TextGenerator::new(&llama, &tokenizer);
/// let prompt = TokenBatch::pad_left(&[tokenizer.encode("a cat")?], generator.padding_id());
/// let embeds = llama.embed(prompt.ids(&device));
/// let config = GenerationConfig::greedy().with_max_new_tokens(4);
/// let texts = generator.generate(embeds, &prompt.mask(&device), &config, &[], &[])?;
/// assert_eq!(texts.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TextGenerator<'a> {
    lm: &'a dyn EmbeddingLm,
    tokenizer: &'a TextTokenizer,
}

impl<'a> TextGenerator<'a> {
    /// Puts a model and its tokenizer together.
    #[must_use]
    pub fn new(lm: &'a dyn EmbeddingLm, tokenizer: &'a TextTokenizer) -> Self {
        Self { lm, tokenizer }
    }

    /// The token that fills up the rows of a batch.
    ///
    /// Vicuna's `[PAD]` comes after the tokens of its vocabulary. A model that has no embedding for it pads with the
    /// end token; masks hide both.
    #[must_use]
    pub fn padding_id(&self) -> u32 {
        let (pad, eos) = (self.tokenizer.pad_id(), self.tokenizer.eos_id());
        if (pad as usize) < self.lm.vocab_size() { pad } else { eos }
    }

    /// Continues every prompt and returns its texts, the best first. They end at the tokenizer's end token, whatever
    /// `config` says.
    ///
    /// `seeds` holds one number for each prompt if the strategy samples and is not read otherwise. `hints` holds one
    /// hint for each prompt, or is empty.
    ///
    /// # Shapes
    ///
    /// - embeds: `[batch, seq, hidden]`
    /// - mask: `[batch, seq]`, `true` for a token
    ///
    /// # Errors
    ///
    /// As [`generate`](super::generate), and [`Error::Text`](crate::Error::Text) if a draft cannot be tokenized.
    pub fn generate(
        &self,
        embeds: Tensor<3>,
        mask: &Tensor<2, Bool>,
        config: &GenerationConfig,
        seeds: &[u64],
        hints: &[GenerationHint<'_>],
    ) -> Result<Vec<Vec<Generated>>> {
        let config = config.clone().with_eos_ids([self.tokenizer.eos_id()]);
        let drafts = hints.iter().map(|hint| self.draft_tokens(hint.draft));
        let drafts = drafts.collect::<Result<Vec<_>>>()?;
        let searches_beams = matches!(config.strategy, Strategy::Beam { beams } if beams > 1);
        let stop = HintedEnds { tokenizer: self.tokenizer, hints, searches_beams };
        let rows = generate_with_draft(self.lm, embeds, mask, &config, seeds, &stop, &drafts)?;
        let texts = |row: Vec<_>| {
            row.iter().map(|text| Generated::from_hypothesis(text, self.tokenizer)).collect()
        };
        rows.into_iter().map(texts).collect()
    }

    /// The tokens with which the model would write a text.
    fn draft_tokens(&self, text: &str) -> Result<Vec<u32>> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut tokens = self.tokenizer.encode_target(text.trim())?;
        tokens.pop_if(|last| *last == self.tokenizer.eos_id());
        Ok(tokens)
    }

    /// The log-probability of each candidate, end token included, as the continuation of one prompt.
    ///
    /// The upstream `predict_class` divides each sum by the same length, so both order the candidates alike.
    ///
    /// # Shapes
    ///
    /// - embeds: `[1, seq, hidden]`
    /// - mask: `[1, seq]`, `true` for a token; the last is one
    ///
    /// # Errors
    ///
    /// [`Error::Text`](crate::Error::Text) if a candidate cannot be tokenized.
    ///
    /// # Panics
    ///
    /// Panics if there is more than one prompt.
    pub fn log_probs(
        &self,
        embeds: Tensor<3>,
        mask: Tensor<2, Bool>,
        candidates: &[&str],
    ) -> Result<Vec<f32>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let device = embeds.device();
        let targets = candidates.iter().map(|text| self.tokenizer.encode_target(text));
        let targets = targets.collect::<Result<Vec<_>>>()?;
        let answers = TokenBatch::pad_right(&targets, self.padding_id());
        let [batch, answer_len] = answers.dims();
        let [_, prompt_len, hidden] = embeds.dims();
        let prompts = embeds.expand([batch, prompt_len, hidden]);
        let embeds = Tensor::cat(vec![prompts, self.lm.embed(answers.ids(&device))], 1);
        let prompt_mask = mask.expand([batch, prompt_len]);
        let mask = Tensor::<2, Bool>::cat(vec![prompt_mask, answers.mask(&device)], 1);
        // The last position of the prompt predicts the first token of the answer.
        let logits = self.lm.score(embeds, mask, prompt_len - 1..prompt_len + answer_len - 1);
        let targets = answers.ids(&device).unsqueeze_dim::<3>(2);
        let picked = log_softmax(logits, 2).gather(2, targets).squeeze_dim::<2>(2);
        Ok(sum_rows(picked, &answers.lengths()))
    }
}

/// Ends texts where their hints say that they are long enough.
struct HintedEnds<'a> {
    tokenizer: &'a TextTokenizer,
    hints: &'a [GenerationHint<'a>],
    searches_beams: bool,
}

impl StopCondition for HintedEnds<'_> {
    fn is_met(&self, prompt: usize, tokens: &[u32]) -> bool {
        let Some(GenerationHint { until: Some(until), stops_beams, .. }) = self.hints.get(prompt)
        else {
            return false;
        };
        (!self.searches_beams || *stops_beams)
            && self.tokenizer.decode(tokens).is_ok_and(|text| until.is_enough(&text))
    }
}

/// Sums the first `lengths[i]` entries of row `i`.
fn sum_rows(values: Tensor<2>, lengths: &[usize]) -> Vec<f32> {
    let [batch, seq] = values.dims();
    let valid = lengths.iter().flat_map(|&len| (0..seq).map(move |i| i32::from(i < len)));
    let valid = TensorData::new(valid.collect::<Vec<_>>(), [batch, seq]);
    let valid = Tensor::<2, Int>::from_data(valid, &values.device()).float();
    (values * valid).sum_dim(1).into_data().iter::<f32>().collect()
}
