//! What a generation returns: tokens at first, text once they are decoded.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::tokenizer::TextTokenizer;

/// The tokens that a model generated for a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// The tokens, without the end token.
    pub tokens: Vec<u32>,
    /// The score that orders the hypotheses of one prompt: the sum of the tokens' log-probabilities, as the strategy
    /// edited them, divided by a power of the length.
    pub score: f32,
    /// The log-probability of each token in the model's own distribution, before any edit.
    pub log_probs: Vec<f32>,
    /// Why the hypothesis ended.
    pub finish: FinishReason,
}

/// Why a generated text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// The model wrote the end token.
    EndToken,
    /// A stop condition was met. The token that met it is kept.
    Stopped,
    /// The text reached the maximum number of tokens.
    MaxTokens,
}

/// A generated text.
///
/// ```
/// use vigc_llm::generation::{FinishReason, Generated};
///
/// let text = Generated::text("A cat sits on").with_finish(FinishReason::MaxTokens);
/// assert_eq!(text.text, "A cat sits on");
/// assert_eq!(text.log_prob(&(0..5)), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The text, without special tokens and without white space at its ends.
    pub text: String,
    /// The score that candidates are ranked by; larger is better. See [`Hypothesis::score`].
    pub score: f32,
    /// The tokens in order. Empty if the model does not report them.
    pub tokens: Vec<TokenScore>,
    /// The ids of the tokens, without the end token. Empty if the model does not report them.
    pub ids: Vec<u32>,
    /// Why the text ended.
    pub finish: FinishReason,
}

/// A token of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// The byte offset in the text at which the token ends.
    pub end: usize,
    /// The token's log-probability before penalties.
    pub log_prob: f32,
}

impl Generated {
    /// A text with a score of 0 and no tokens that ends with the end token.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            score: 0.0,
            tokens: Vec::new(),
            ids: Vec::new(),
            finish: FinishReason::EndToken,
        }
    }

    /// Sets why the text ended.
    #[must_use]
    pub fn with_finish(mut self, finish: FinishReason) -> Self {
        self.finish = finish;
        self
    }

    /// Decodes a hypothesis and finds where in the text each of its tokens ends.
    ///
    /// # Errors
    ///
    /// [`Error::Text`](crate::Error::Text) if the tokens cannot be decoded.
    pub fn from_hypothesis(hypothesis: &Hypothesis, tokenizer: &TextTokenizer) -> Result<Self> {
        let ids = &hypothesis.tokens;
        let text = tokenizer.decode(ids)?;
        let mut tokens = Vec::with_capacity(ids.len());
        let mut end = 0;
        for (i, &log_prob) in hypothesis.log_probs.iter().enumerate() {
            // A prefix may end inside a character, so only the part that it shares with the text counts.
            let prefix = tokenizer.decode(&ids[..ids.len().min(i + 1)])?;
            end = shared_prefix(&prefix, &text).max(end);
            tokens.push(TokenScore { end, log_prob });
        }
        let (score, finish) = (hypothesis.score, hypothesis.finish);
        Ok(Self { text, score, tokens, ids: ids.clone(), finish })
    }

    /// The summed log-probability and the number of the tokens that overlap a range of bytes. `None` if the model
    /// reported no tokens or none overlaps the range.
    ///
    /// The sum is rounded to hundredths. Further digits depend on the batch in which a text is generated, and rows
    /// should not.
    #[must_use]
    pub fn log_prob(&self, bytes: &Range<usize>) -> Option<(f32, usize)> {
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

/// The length in bytes of the longest common prefix.
fn shared_prefix(a: &str, b: &str) -> usize {
    a.char_indices()
        .zip(b.chars())
        .find(|((_, a), b)| a != b)
        .map_or(a.len().min(b.len()), |((at, _), _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_are_of_the_overlapping_tokens() {
        let token = |(end, log_prob)| TokenScore { end, log_prob };
        let tokens = [(2, -1.0), (4, -2.0), (4, -4.0), (7, -8.0)].map(token).to_vec();
        let generated = Generated { tokens, ..Generated::text("ab. cd.") };
        assert_eq!(generated.log_prob(&(0..3)), Some((-3.0, 2)));
        assert_eq!(generated.log_prob(&(4..7)), Some((-8.0, 1)));
        assert_eq!(generated.log_prob(&(7..7)), None);
    }

    #[test]
    fn shared_prefixes_end_between_characters() {
        for (a, b, expected) in [
            ("", "a", 0),
            ("ab", "abc", 2),
            ("abc", "ab", 2),
            ("é\u{fffd}", "éß", 2),
            ("ba", "ab", 0),
        ] {
            assert_eq!(shared_prefix(a, b), expected, "{a:?} {b:?}");
        }
    }
}
