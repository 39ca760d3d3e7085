//! From encoded images and prompts to text.

use burn::tensor::{Bool, Tensor};
use vigc_core::TokenBatch;
use vigc_core::kernels::on_worker;
use vigc_llm::generation::GenerationConfig;

use super::{EncodedImages, Generated, InstructBlip, Prompt, PromptInputs};
use crate::Result;
use crate::model::Writer;
use crate::vigc::Hint;

impl InstructBlip {
    /// Lets the Q-Former read the images in the light of the prompts, and embeds both: visual tokens, then the prompt,
    /// with the padding between them.
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
        let prompts = TokenBatch::pad_left(&ids, self.writer().padding_id());
        let [batch, queries, _] = soft.dims();
        let tokens = self.network().language_model.embed(prompts.ids(self.device()));
        let seen = Tensor::<2, Bool>::full([batch, queries], true, self.device());
        let mask = Tensor::cat(vec![seen, prompts.mask(self.device())], 1);
        Ok(PromptInputs { embeds: Tensor::cat(vec![soft, tokens], 1), mask, prompts })
    }

    fn writer(&self) -> Writer<'_> {
        Writer { lm: &self.network().language_model, tokenizer: self.text_tokenizer() }
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
        on_worker(|| {
            let inputs = self.prompt_inputs(images, prompts)?;
            self.writer().write(inputs, prompts, hints, settings)
        })
    }

    /// The log-probability of each candidate, end token included, as the answer to a prompt.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if a text cannot be tokenized.
    ///
    /// # Panics
    ///
    /// Panics if the prompt names an image that is not there.
    pub fn log_probs(
        &self,
        images: &EncodedImages,
        prompt: Prompt<'_>,
        candidates: &[&str],
    ) -> Result<Vec<f32>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        self.writer().log_probs(self.prompt_inputs(images, &[prompt])?, candidates)
    }
}
