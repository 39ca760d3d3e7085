//! What VIG and VIC need of a model.

use image::RgbImage;

use super::{Finish, GenerationConfig, Hint};
use crate::Result;

/// A model that answers prompts about images.
///
/// An image is encoded once and then asked about many times; the handle owns whatever the model
/// wants to keep (for a Q-Former the keys and values of its cross-attentions). The trait is object
/// safe: `&dyn VisualLm<Image = T>` works wherever `&M` does.
pub trait VisualLm {
    /// An encoded image.
    type Image;

    /// The name that rows are marked with.
    fn name(&self) -> &str;

    /// Encodes images, one handle for each.
    ///
    /// # Errors
    ///
    /// An error means that the model cannot go on, not that an image is unusual.
    fn encode(&self, images: &[RgbImage]) -> Result<Vec<Self::Image>>;

    /// Generates one or more texts for each request, best first, at least one.
    ///
    /// What a request gets must not depend on the other requests.
    ///
    /// # Errors
    ///
    /// An error means that the model cannot go on.
    fn generate(
        &self,
        requests: &[Request<'_, Self::Image>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>>;

    /// The log-probability of each candidate, end of the sequence included, as the answer to a
    /// request.
    ///
    /// # Errors
    ///
    /// An error means that the model cannot go on.
    fn score(&self, request: &Request<'_, Self::Image>, candidates: &[&str]) -> Result<Vec<f32>>;
}

/// A prompt about an image, read by the Q-Former and by the language model.
#[derive(Debug)]
pub struct Request<'a, I> {
    /// The image.
    pub image: &'a I,
    /// The prompt.
    pub prompt: &'a str,
    /// Seed of this request's sampling.
    pub seed: u64,
    /// What is known of the text. A model may leave it aside.
    pub hint: Hint<'a>,
}

/// A generated text.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The text, without special tokens and without white space at its ends.
    pub text: String,
    /// What candidates are ranked by, larger is better: the penalized log-probability over the
    /// length for beam search, else the sum of log-probabilities.
    pub score: f32,
    /// The tokens, in order. Empty if the model does not tell.
    pub tokens: Vec<TokenScore>,
    /// Why the text ends.
    pub finish: Finish,
}

/// A token of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// The byte of the text at which the token ends.
    pub end: usize,
    /// Its log-probability before penalties.
    pub log_prob: f32,
}

impl Generated {
    /// The summed log-probability and the number of the tokens that overlap a range of bytes.
    /// Nothing if the model told none, or a range holds none.
    ///
    /// The sum is rounded to hundredths: further digits change with the batch that a text is
    /// generated in, and rows should not.
    #[must_use]
    pub fn log_prob(&self, bytes: &std::ops::Range<usize>) -> Option<(f32, usize)> {
        let starts = std::iter::once(0).chain(self.tokens.iter().map(|token| token.end));
        let overlapping = starts
            .zip(&self.tokens)
            .filter(|(start, token)| *start < bytes.end && token.end > bytes.start)
            .map(|(_, token)| token.log_prob);
        let (sum, count) =
            overlapping.fold((0.0_f32, 0), |(sum, n), log_prob| (sum + log_prob, n + 1));
        (count > 0).then(|| ((sum * 100.0).round() / 100.0, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_are_of_the_overlapping_tokens() {
        let token = |(end, log_prob)| TokenScore { end, log_prob };
        let tokens = [(2, -1.0), (4, -2.0), (4, -4.0), (7, -8.0)].map(token).to_vec();
        let text = "ab. cd.".to_owned();
        let generated = Generated { text, score: 0.0, tokens, finish: Finish::EndToken };
        assert_eq!(generated.log_prob(&(0..3)), Some((-3.0, 2)));
        assert_eq!(generated.log_prob(&(4..7)), Some((-8.0, 1)));
        assert_eq!(generated.log_prob(&(7..7)), None);
    }
}
