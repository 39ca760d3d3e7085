//! From encoded images and prompts to text.

use burn::tensor::{Bool, Tensor};
use vigc_core::TokenBatch;
use vigc_core::kernels::on_worker;
use vigc_llm::generation::{
    GenerationConfig, Hypothesis, StopCondition, Strategy, generate_guessing,
};
use vigc_llm::tokenizer::TextTokenizer;

use super::{EncodedImages, InstructBlip};
use crate::Result;
use crate::vigc::{BeamEnds, Hint};

/// A prompt about one of several encoded images.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// Which image.
    pub image: usize,
    /// What the Q-Former and the language model read.
    pub text: &'a str,
    /// Seeds the sampler, if there is one.
    pub seed: u64,
}

/// What the language model reads: visual tokens, then the prompt.
#[derive(Debug, Clone)]
pub struct PromptInputs {
    /// `[batch, queries + seq, text_hidden]`.
    pub embeds: Tensor<3>,
    /// `[batch, queries + seq]`, `true` for a token. Padding lies between visual tokens and prompt.
    pub mask: Tensor<2, Bool>,
    /// The prompts' tokens, padded on the left.
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

impl InstructBlip {
    /// Lets the Q-Former read the images in the light of the prompts, and embeds both.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if a prompt cannot be tokenized.
    ///
    /// # Panics
    ///
    /// Panics if there is no prompt or one names an image that is not there.
    pub fn prompt_inputs(
        &self,
        images: &EncodedImages,
        prompts: &[Prompt<'_>],
    ) -> Result<PromptInputs> {
        let rows: Vec<_> = prompts.iter().map(|prompt| prompt.image).collect();
        let images = images.select(&rows);
        let soft =
            self.network().language_inputs(&self.qformer_batch(prompts)?, images.key_values());
        let encode = |prompt: &Prompt<'_>| self.text_tokenizer().encode(prompt.text);
        let ids = prompts.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let prompts = TokenBatch::pad_left(&ids, self.padding_id());
        let [batch, queries, _] = soft.dims();
        let tokens = self.network().language_model.embed(prompts.ids(self.device()));
        let seen = Tensor::<2, Bool>::full([batch, queries], true, self.device());
        let mask = Tensor::cat(vec![seen, prompts.mask(self.device())], 1);
        Ok(PromptInputs { embeds: Tensor::cat(vec![soft, tokens], 1), mask, prompts })
    }

    /// Fills up the language model's rows. The reference's `[PAD]` lies behind Vicuna's vocabulary, so a model without a
    /// row for it pads with the end token; no token looks at either.
    pub(super) fn padding_id(&self) -> u32 {
        let text = self.text_tokenizer();
        let words = self.network().language_model.vocab_size();
        if (text.pad_id() as usize) < words { text.pad_id() } else { text.eos_id() }
    }

    /// The prompts in the Q-Former's vocabulary, padded on the right.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if a prompt cannot be tokenized.
    pub fn qformer_batch(&self, prompts: &[Prompt<'_>]) -> Result<TokenBatch> {
        let encode = |prompt: &Prompt<'_>| self.qformer_tokenizer().encode(prompt.text);
        let ids = prompts.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        Ok(TokenBatch::pad_right(&ids, self.qformer_tokenizer().pad_id()))
    }

    /// Continues every prompt; the best text of each comes first.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if a prompt cannot be tokenized or a setting is impossible.
    ///
    /// # Panics
    ///
    /// Panics if a prompt names an image that is not there.
    pub fn generate(
        &self,
        images: &EncodedImages,
        prompts: &[Prompt<'_>],
        settings: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        self.generate_with_hints(images, prompts, &[], settings)
    }

    /// As [`InstructBlip::generate`], with what is known of each text; nothing for nothing.
    ///
    /// # Errors
    ///
    /// As [`InstructBlip::generate`].
    ///
    /// # Panics
    ///
    /// As [`InstructBlip::generate`].
    pub fn generate_with_hints(
        &self,
        images: &EncodedImages,
        prompts: &[Prompt<'_>],
        hints: &[Hint<'_>],
        settings: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        on_worker(|| self.generate_texts(images, prompts, hints, settings))
    }

    fn generate_texts(
        &self,
        images: &EncodedImages,
        prompts: &[Prompt<'_>],
        hints: &[Hint<'_>],
        settings: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        let inputs = self.prompt_inputs(images, prompts)?;
        let seeds: Vec<_> = prompts.iter().map(|prompt| prompt.seed).collect();
        let settings = settings.clone().with_eos_ids(vec![self.text_tokenizer().eos_id()]);
        let lm = &self.network().language_model;
        let guesses = hints.iter().map(|hint| self.guessed_tokens(hint.guess));
        let guesses = guesses.collect::<Result<Vec<_>>>()?;
        let stop = HintedEnds { tokenizer: self.text_tokenizer(), hints, settings: &settings };
        let (embeds, mask) = (inputs.embeds, &inputs.mask);
        let rows = generate_guessing(lm, embeds, mask, &settings, &seeds, &stop, &guesses)?;
        rows.into_iter()
            .map(|row| row.into_iter().map(|text| self.generated(text)).collect())
            .collect()
    }

    /// The tokens that the model would write a text with.
    fn guessed_tokens(&self, text: &str) -> Result<Vec<u32>> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut tokens = self.text_tokenizer().encode_target(text.trim())?;
        tokens.pop_if(|last| *last == self.text_tokenizer().eos_id());
        Ok(tokens)
    }

    fn generated(&self, hypothesis: Hypothesis) -> Result<Generated> {
        Ok(Generated { text: self.text_tokenizer().decode(&hypothesis.tokens)?, hypothesis })
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
