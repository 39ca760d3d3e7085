//! One sample's conversation with the model: VIG's question and draft, then VIC's corrections.

use vigc_llm::generation::{Generated, GenerationHint};

use super::correction::{Correction, LoopRules};
use super::outcome::{Corrected, Rejected, Step};
use super::upstream::UpstreamLoop;
use super::vic::Vic;

/// A sample under either kind of rules: texts in, prompts out.
///
/// Ask for [`next_prompt`](Self::next_prompt), generate, and [`accept`](Self::accept) the text until
/// there is no prompt. Nothing here knows a model, so the image may be encoded once for all steps.
#[derive(Debug, Clone)]
pub enum Dialogue {
    /// Under our rules.
    Strict(Vic),
    /// Under those of the upstream program.
    Upstream(UpstreamLoop),
}

impl Dialogue {
    /// A sample that begins with VIG.
    #[must_use]
    pub fn new(instruction: &str, correction: Correction) -> Self {
        match correction.rules {
            LoopRules::Strict => Self::Strict(Vic::new(instruction, correction)),
            LoopRules::Upstream => Self::Upstream(UpstreamLoop::new(instruction, correction)),
        }
    }

    /// What the model is to be asked next, if anything.
    #[must_use]
    pub fn next_prompt(&self) -> Option<&str> {
        match self {
            Self::Strict(vic) => vic.next_prompt(),
            Self::Upstream(upstream) => upstream.next_prompt(),
        }
    }

    /// What is known of the answer to the prompt.
    #[must_use]
    pub fn hint(&self) -> GenerationHint<'_> {
        match self {
            Self::Strict(vic) => vic.hint(),
            // Its rules are for beam search, which no hint helps.
            Self::Upstream(_) => GenerationHint::default(),
        }
    }

    /// Takes the model's answer to the prompt.
    ///
    /// # Panics
    ///
    /// Panics if there was no prompt.
    pub fn accept(&mut self, generated: &Generated) -> Step {
        match self {
            Self::Strict(vic) => vic.accept(generated),
            Self::Upstream(upstream) => upstream.accept(generated),
        }
    }

    /// The finished texts.
    ///
    /// # Errors
    ///
    /// The rejected text with its reason.
    ///
    /// # Panics
    ///
    /// Panics if there is another prompt.
    pub fn finish(self) -> Result<Corrected, Rejected> {
        match self {
            Self::Strict(vic) => vic.finish(),
            Self::Upstream(upstream) => upstream.finish(),
        }
    }
}
