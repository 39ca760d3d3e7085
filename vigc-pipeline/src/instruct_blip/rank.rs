//! Ranking of given answers by the probability that the model writes them.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Int, Tensor, TensorData};
use vigc_core::TokenBatch;

use super::{EncodedImages, InstructBlip, Prompt};
use crate::Result;

impl InstructBlip {
    /// The log-probability of each candidate, end token included, as the answer to a prompt.
    ///
    /// The reference's `predict_class` divides the sum by the same length for all candidates; the sum
    /// orders them alike.
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
        let inputs = self.prompt_inputs(images, &[prompt])?;
        let encode = |text: &&str| self.text_tokenizer().encode_target(text);
        let targets = candidates.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let answers = TokenBatch::pad_right(&targets, self.padding_id());
        let [batch, answer_len] = answers.dims();
        let [_, prompt_len, hidden] = inputs.embeds.dims();
        let lm = &self.network().language_model;
        let embeds = Tensor::cat(
            vec![
                inputs.embeds.expand([batch, prompt_len, hidden]),
                lm.embed(answers.ids(self.device())),
            ],
            1,
        );
        let prompt_mask = inputs.mask.expand([batch, prompt_len]);
        let mask = Tensor::<2, Bool>::cat(vec![prompt_mask, answers.mask(self.device())], 1);
        let states = lm.forward(embeds, mask, None);
        // The last position of the prompt predicts the first token of the answer.
        let states = states.slice([0..batch, prompt_len - 1..prompt_len + answer_len - 1]);
        let log_probs = log_softmax(lm.logits(states), 2);
        let targets = answers.ids(self.device()).unsqueeze_dim::<3>(2);
        let picked = log_probs.gather(2, targets).squeeze_dim::<2>(2);
        Ok(sum_rows(picked, &answers.lengths()))
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
