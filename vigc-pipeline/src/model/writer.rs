//! A language model that writes behind soft tokens.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Int, Tensor, TensorData};
use vigc_core::TokenBatch;
use vigc_llm::generation::{
    GenerationConfig, Hypothesis, StopCondition, Strategy, generate_with_draft,
};
use vigc_llm::llama::Llama;
use vigc_llm::tokenizer::TextTokenizer;

use crate::Result;
use crate::vigc::{BeamEnds, Hint};

/// A prompt about one of several encoded images.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// Which image.
    pub image: usize,
    /// What is asked.
    pub text: &'a str,
    /// Seeds the sampler, if there is one.
    pub seed: u64,
}

/// What the language model reads: visual tokens and a prompt.
#[derive(Debug, Clone)]
pub struct PromptInputs {
    /// `[batch, seq, text_hidden]`.
    pub embeds: Tensor<3>,
    /// `[batch, seq]`, `true` for a token; the last of every row is one.
    pub mask: Tensor<2, Bool>,
    /// The prompts' tokens, padded on the left. Visual tokens have no place here, or one with a token that is not
    /// embedded, as the model has it.
    pub prompts: TokenBatch,
}

/// One text that the model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The text, without special tokens or surrounding white space.
    pub text: String,
    /// Its tokens, their log-probabilities, the score and why it ended.
    pub hypothesis: Hypothesis,
}

/// A language model and its tokenizer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) lm: &'a Llama,
    pub(crate) tokenizer: &'a TextTokenizer,
}

impl Writer<'_> {
    /// Fills up the language model's rows. The reference's `[PAD]` lies behind Vicuna's vocabulary, so a model without a
    /// row for it pads with the end token; no token looks at either.
    pub(crate) fn padding_id(&self) -> u32 {
        let text = self.tokenizer;
        let words = self.lm.vocab_size();
        if (text.pad_id() as usize) < words { text.pad_id() } else { text.eos_id() }
    }

    /// Continues the prompts that were embedded; the best text of each comes first.
    pub(crate) fn write(
        &self,
        inputs: PromptInputs,
        prompts: &[Prompt<'_>],
        hints: &[Hint<'_>],
        settings: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        let seeds: Vec<_> = prompts.iter().map(|prompt| prompt.seed).collect();
        let settings = settings.clone().with_eos_ids(vec![self.tokenizer.eos_id()]);
        let guesses = hints.iter().map(|hint| self.guessed_tokens(hint.guess));
        let guesses = guesses.collect::<Result<Vec<_>>>()?;
        let stop = HintedEnds { tokenizer: self.tokenizer, hints, settings: &settings };
        let (embeds, mask) = (inputs.embeds, &inputs.mask);
        let rows = generate_with_draft(self.lm, embeds, mask, &settings, &seeds, &stop, &guesses)?;
        rows.into_iter()
            .map(|row| row.into_iter().map(|text| self.generated(text)).collect())
            .collect()
    }

    /// The tokens that the model would write a text with.
    fn guessed_tokens(&self, text: &str) -> Result<Vec<u32>> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut tokens = self.tokenizer.encode_target(text.trim())?;
        tokens.pop_if(|last| *last == self.tokenizer.eos_id());
        Ok(tokens)
    }

    fn generated(&self, hypothesis: Hypothesis) -> Result<Generated> {
        Ok(Generated { text: self.tokenizer.decode(&hypothesis.tokens)?, hypothesis })
    }

    /// The log-probability of each candidate, end token included, as the answer to the one prompt that was embedded.
    ///
    /// The reference's `predict_class` divides the sum by the same length for all candidates; the sum
    /// orders them alike.
    pub(crate) fn log_probs(&self, inputs: PromptInputs, candidates: &[&str]) -> Result<Vec<f32>> {
        let device = self.lm.device();
        let encode = |text: &&str| self.tokenizer.encode_target(text);
        let targets = candidates.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let answers = TokenBatch::pad_right(&targets, self.padding_id());
        let [batch, answer_len] = answers.dims();
        let [_, prompt_len, hidden] = inputs.embeds.dims();
        let prompts = inputs.embeds.expand([batch, prompt_len, hidden]);
        let embeds = Tensor::cat(vec![prompts, self.lm.embed(answers.ids(&device))], 1);
        let prompt_mask = inputs.mask.expand([batch, prompt_len]);
        let mask = Tensor::<2, Bool>::cat(vec![prompt_mask, answers.mask(&device)], 1);
        let states = self.lm.forward(embeds, mask, None);
        // The last position of the prompt predicts the first token of the answer.
        let states = states.slice([0..batch, prompt_len - 1..prompt_len + answer_len - 1]);
        let log_probs = log_softmax(self.lm.logits(states), 2);
        let targets = answers.ids(&device).unsqueeze_dim::<3>(2);
        let picked = log_probs.gather(2, targets).squeeze_dim::<2>(2);
        Ok(sum_rows(picked, &answers.lengths()))
    }
}

/// Ends texts where their hints say that there is enough of them.
struct HintedEnds<'a> {
    tokenizer: &'a TextTokenizer,
    hints: &'a [Hint<'a>],
    settings: &'a GenerationConfig,
}

impl StopCondition for HintedEnds<'_> {
    fn is_met(&self, prompt: usize, tokens: &[u32]) -> bool {
        let Some(Hint { until: Some(until), beam_ends, .. }) = self.hints.get(prompt) else {
            return false;
        };
        let beams = matches!(self.settings.strategy, Strategy::Beam { beams } if beams > 1);
        (!beams || *beam_ends == BeamEnds::Unit)
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
