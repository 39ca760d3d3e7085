//! What is known of a text before it is generated.

use std::fmt;

use super::BeamEnds;

/// What makes a text cheaper to generate, and does not change what is kept of it, unless beams end with a unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hint<'a> {
    /// What the text is likely to be; empty if nothing is known. A model may check several of its words at a time.
    pub guess: &'a str,
    /// Where the text may end, though the model would go on.
    pub until: Option<&'a dyn TextEnd>,
    /// Whether a beam search looks at `until` as well.
    pub beam_ends: BeamEnds,
}

/// Decides when there is enough of a text.
pub trait TextEnd: fmt::Debug + Sync {
    /// Whether nothing that may follow `text` matters.
    fn is_enough(&self, text: &str) -> bool;
}

/// What the correction loop may do to save time. Rows are the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Savings {
    /// Check the draft, or what was written at the step before, several words at a time.
    pub guesses: bool,
    /// Stop writing where the sentence or paragraph ends that will be kept.
    pub early_stops: bool,
}

impl Savings {
    /// Every text as it comes, to its end.
    pub const NONE: Self = Self { guesses: false, early_stops: false };

    /// The hint without what is not to be done.
    pub(super) fn limit(self, hint: Hint<'_>) -> Hint<'_> {
        Hint {
            guess: if self.guesses { hint.guess } else { "" },
            until: hint.until.filter(|_| self.early_stops || hint.beam_ends == BeamEnds::Unit),
            ..hint
        }
    }
}

impl Default for Savings {
    /// All of them.
    fn default() -> Self {
        Self { guesses: true, early_stops: true }
    }
}
