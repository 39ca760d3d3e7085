//! Settings of a generation.

use serde::{Deserialize, Serialize};

/// How the next token is chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The most likely token.
    Greedy,
    /// Beam search.
    Beam {
        /// How many hypotheses are kept.
        beams: usize,
    },
    /// Nucleus sampling.
    Nucleus {
        /// Probability mass to sample from.
        top_p: f32,
        /// Divisor of the logits.
        temperature: f32,
    },
}

/// Settings of a generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationConfig {
    /// How the next token is chosen.
    pub strategy: Strategy,
    /// Most tokens to generate.
    pub max_new_tokens: usize,
    /// Fewest tokens to generate.
    pub min_new_tokens: usize,
    /// Penalty of tokens already generated; 1 is none.
    pub repetition_penalty: f32,
    /// Exponent of the length that beam scores are divided by.
    pub length_penalty: f32,
    /// How many texts each request gets.
    pub num_return_sequences: usize,
}

impl GenerationConfig {
    /// Beam search with the reference's penalties.
    #[must_use]
    pub fn beam_search(beams: usize) -> Self {
        Self {
            strategy: Strategy::Beam { beams },
            max_new_tokens: 256,
            min_new_tokens: 0,
            repetition_penalty: 1.5,
            length_penalty: 1.0,
            num_return_sequences: 1,
        }
    }
}
