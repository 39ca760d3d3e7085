//! From encoded images and prompts to text.

use burn::tensor::{Bool, Tensor};
use vigc_core::TokenBatch;
use vigc_llm::generation::{self, GenerationConfig, Hypothesis};

use super::{EncodedImages, InstructBlip};
use crate::Result;

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
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        let inputs = self.prompt_inputs(images, prompts)?;
        let seeds: Vec<_> = prompts.iter().map(|prompt| prompt.seed).collect();
        let settings = settings.clone().with_eos_ids(vec![self.text_tokenizer().eos_id()]);
        let lm = &self.network().language_model;
        let rows = generation::generate(lm, inputs.embeds, &inputs.mask, &settings, &seeds)?;
        rows.into_iter()
            .map(|row| row.into_iter().map(|text| self.generated(text)).collect())
            .collect()
    }

    fn generated(&self, hypothesis: Hypothesis) -> Result<Generated> {
        Ok(Generated { text: self.text_tokenizer().decode(&hypothesis.tokens)?, hypothesis })
    }
}
