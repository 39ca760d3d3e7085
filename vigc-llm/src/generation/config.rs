//! Settings of a generation.

use serde::{Deserialize, Serialize};

use super::strategy::Strategy;
use crate::{Error, Result};

/// The rules that count lengths, penalize repetition and end a beam search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rules {
    /// Those of transformers 5: a length counts the new tokens and the end token.
    Modern,
    /// Those of transformers 4.28.1, which reproduce the results of the upstream program: every text begins with a
    /// token that the model never sees but that is penalized and counted, and when a search ends depends on its place
    /// in the batch.
    Transformers4_28 {
        /// The token at the beginning: `bos_token_id` of the generation configuration.
        dummy_bos: u32,
    },
}

/// Settings of a generation.
///
/// ```
/// use vigc_llm::generation::{GenerationConfig, Strategy};
///
/// let config = GenerationConfig::beam_search(5).with_max_new_tokens(250).with_n_best(5);
/// assert_eq!(config.strategy, Strategy::Beam { beams: 5 });
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GenerationConfig {
    /// How the next token is chosen.
    pub strategy: Strategy,
    /// The rules that count lengths, penalize repetition and end a beam search.
    pub rules: Rules,
    /// Maximum number of new tokens, the end token included.
    pub max_new_tokens: usize,
    /// Minimum number of new tokens before the end token.
    pub min_new_tokens: usize,
    /// Makes tokens less likely that were generated before: divides positive scores and multiplies negative ones; 1 is no
    /// penalty. Greedy decoding and sampling apply it to the logits, beam search to log-probabilities.
    pub repetition_penalty: f32,
    /// A hypothesis' score is divided by its length to this power.
    pub length_penalty: f32,
    /// Number of hypotheses to return for each prompt.
    pub n_best: usize,
    /// The tokens that end a text.
    pub eos_ids: Vec<u32>,
}

impl Default for GenerationConfig {
    fn default() -> Self {
        Self {
            strategy: Strategy::Greedy,
            rules: Rules::Modern,
            max_new_tokens: 256,
            min_new_tokens: 0,
            repetition_penalty: 1.0,
            length_penalty: 1.0,
            n_best: 1,
            eos_ids: vec![2],
        }
    }
}

impl GenerationConfig {
    /// Greedy decoding.
    #[must_use]
    pub fn greedy() -> Self {
        Self::default()
    }

    /// Beam search with a number of beams.
    #[must_use]
    pub fn beam_search(beams: usize) -> Self {
        Self { strategy: Strategy::Beam { beams }, ..Self::default() }
    }

    /// Nucleus sampling: draws from the most likely tokens whose probabilities sum to at least `top_p`.
    #[must_use]
    pub fn nucleus(top_p: f32) -> Self {
        let strategy = Strategy::Sample { temperature: 1.0, top_k: 0, top_p };
        Self { strategy, ..Self::default() }
    }

    /// The defaults of the upstream program's `generate`, without its lengths: five beams, a repetition penalty of 1.5
    /// and the rules of transformers 4.28.1. Set the lengths with [`GenerationConfig::with_max_length`] and
    /// [`GenerationConfig::with_min_length`].
    ///
    /// ```
    /// use vigc_llm::generation::GenerationConfig;
    ///
    /// let config = GenerationConfig::upstream().with_max_length(250).with_min_length(1);
    /// assert_eq!((config.max_new_tokens, config.min_new_tokens), (249, 0));
    /// ```
    #[must_use]
    pub fn upstream() -> Self {
        Self {
            rules: Rules::Transformers4_28 { dummy_bos: 1 },
            repetition_penalty: 1.5,
            ..Self::beam_search(5)
        }
    }

    /// Sets the maximum number of new tokens as the upstream program counts it in `max_length`: with the token that
    /// begins every text, which is not generated.
    #[must_use]
    pub fn with_max_length(self, max_length: usize) -> Self {
        self.with_max_new_tokens(max_length.saturating_sub(1))
    }

    /// Sets the minimum number of new tokens as the upstream program counts it in `min_length`; see
    /// [`GenerationConfig::with_max_length`].
    #[must_use]
    pub fn with_min_length(self, min_length: usize) -> Self {
        self.with_min_new_tokens(min_length.saturating_sub(1))
    }

    /// Sets how the next token is chosen.
    #[must_use]
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets the rules that count lengths, penalize repetition and end a beam search.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the maximum number of new tokens, the end token included.
    #[must_use]
    pub fn with_max_new_tokens(mut self, max_new_tokens: usize) -> Self {
        self.max_new_tokens = max_new_tokens;
        self
    }

    /// Sets the minimum number of new tokens before the end token.
    #[must_use]
    pub fn with_min_new_tokens(mut self, min_new_tokens: usize) -> Self {
        self.min_new_tokens = min_new_tokens;
        self
    }

    /// Sets the penalty for tokens that were generated before.
    #[must_use]
    pub fn with_repetition_penalty(mut self, repetition_penalty: f32) -> Self {
        self.repetition_penalty = repetition_penalty;
        self
    }

    /// Sets the power of the length that scores are divided by.
    #[must_use]
    pub fn with_length_penalty(mut self, length_penalty: f32) -> Self {
        self.length_penalty = length_penalty;
        self
    }

    /// Sets the number of hypotheses to return for each prompt.
    #[must_use]
    pub fn with_n_best(mut self, n_best: usize) -> Self {
        self.n_best = n_best;
        self
    }

    /// Sets the tokens that end a text.
    #[must_use]
    pub fn with_eos_ids(mut self, eos_ids: impl Into<Vec<u32>>) -> Self {
        self.eos_ids = eos_ids.into();
        self
    }

    /// Checks the settings for a vocabulary of `vocab` tokens and `rows` prompts.
    pub(super) fn check(&self, vocab: usize, rows: usize, seeds: &[u64]) -> Result<()> {
        self.check_strategy(rows, seeds)?;
        let most = self.max_new_tokens;
        require("max_new_tokens", &most, most > 0, "at least 1")?;
        let least = self.min_new_tokens;
        require("min_new_tokens", &least, least <= most, "at most max_new_tokens")?;
        let penalty = self.repetition_penalty;
        let positive = penalty.is_finite() && penalty > 0.0;
        require("repetition_penalty", &penalty, positive, "a positive number")?;
        let power = self.length_penalty;
        require("length_penalty", &power, power.is_finite(), "a number")?;
        let known = |id: u32| (id as usize) < vocab;
        for &id in &self.eos_ids {
            require("eos_ids", &id, known(id), "tokens of the vocabulary")?;
        }
        let endings = self.eos_ids.len();
        require("eos_ids", &format!("{endings} tokens"), endings < vocab, "fewer than all tokens")?;
        if let Rules::Transformers4_28 { dummy_bos } = self.rules {
            require("dummy_bos", &dummy_bos, known(dummy_bos), "a token of the vocabulary")?;
        }
        Ok(())
    }

    fn check_strategy(&self, rows: usize, seeds: &[u64]) -> Result<()> {
        let most = match self.strategy {
            Strategy::Greedy => 1,
            Strategy::Beam { beams } => {
                require("beams", &beams, beams > 0, "at least 1")?;
                beams
            }
            Strategy::Sample { temperature, top_p, .. } => {
                let positive = temperature.is_finite() && temperature > 0.0;
                require("temperature", &temperature, positive, "a positive number")?;
                require("top_p", &top_p, top_p > 0.0 && top_p <= 1.0, "above 0 and at most 1")?;
                let given = seeds.len();
                require("number of seeds", &given, given == rows, "one for every prompt")?;
                usize::MAX
            }
        };
        let fits = (1..=most).contains(&self.n_best);
        require("n_best", &self.n_best, fits, "at least 1 and at most the number of beams")
    }
}

fn require(
    name: &'static str,
    value: &dyn std::fmt::Display,
    holds: bool,
    expected: &'static str,
) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::Setting { name, value: value.to_string(), expected }),
    }
}
