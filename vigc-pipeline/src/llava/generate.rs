//! From encoded images and prompts to text.

use burn::tensor::Tensor;
use vigc_core::TokenBatch;
use vigc_core::kernels::on_worker;
use vigc_llm::generation::GenerationConfig;

use super::{Generated, Llava, Prompt, PromptInputs, PromptTokens, VisualTokens};
use crate::Result;
use crate::model::Writer;
use crate::vigc::Hint;

impl Llava {
    /// The tokens of the prompt that a question becomes.
    ///
    /// # Errors
    ///
    /// [`Error::Llm`](crate::Error::Llm) if it cannot be tokenized,
    /// [`Error::ImagePlaceholders`](crate::Error::ImagePlaceholders) if it holds `<image>` more than once.
    pub fn prompt_tokens(&self, question: &str) -> Result<PromptTokens> {
        let config = self.config();
        let prompt = config.template.prompt(question, &config.image_text());
        PromptTokens::new(self.text_tokenizer(), &prompt, config.image_token_index())
    }

    /// Embeds the prompts with the visual tokens of their images among them.
    ///
    /// # Errors
    ///
    /// As [`Llava::prompt_tokens`].
    ///
    /// # Panics
    ///
    /// Panics if there is no prompt or one names an image that is not there.
    pub fn prompt_inputs(
        &self,
        images: &VisualTokens,
        prompts: &[Prompt<'_>],
    ) -> Result<PromptInputs> {
        let rows: Vec<_> = prompts.iter().map(|prompt| prompt.image).collect();
        let visual: Tensor<3> = images.select(&rows).tokens();
        let [_, places, _] = visual.dims();
        let padding = self.writer().padding_id();
        let tokens = prompts
            .iter()
            .map(|prompt| self.prompt_tokens(prompt.text))
            .collect::<Result<Vec<_>>>()?;
        let rows: Vec<_> = tokens.iter().map(|row| row.with_places(places, padding)).collect();
        let batch = TokenBatch::pad_left(&rows, padding);
        let [_, seq] = batch.dims();
        let start = |row: &PromptTokens| seq - row.after.len() - places;
        let starts: Vec<_> = tokens.iter().map(start).collect();
        Ok(PromptInputs {
            embeds: self.network().language_inputs(&batch, &starts, &visual),
            mask: batch.mask(self.device()),
            prompts: batch,
        })
    }

    fn writer(&self) -> Writer<'_> {
        Writer { lm: &self.network().language_model, tokenizer: self.text_tokenizer() }
    }

    /// Answers every prompt; the best text of each comes first.
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
        images: &VisualTokens,
        prompts: &[Prompt<'_>],
        settings: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        self.generate_with_hints(images, prompts, &[], settings)
    }

    /// As [`Llava::generate`], with what is known of each text; nothing for nothing.
    ///
    /// # Errors
    ///
    /// As [`Llava::generate`].
    ///
    /// # Panics
    ///
    /// As [`Llava::generate`].
    pub fn generate_with_hints(
        &self,
        images: &VisualTokens,
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
        images: &VisualTokens,
        prompt: Prompt<'_>,
        candidates: &[&str],
    ) -> Result<Vec<f32>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        self.writer().log_probs(self.prompt_inputs(images, &[prompt])?, candidates)
    }
}
