//! What the correction loop may do to save time.

use vigc_llm::generation::GenerationHint;

/// What the correction loop may do to save time. Rows are the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speedups {
    /// Check the draft, or what was written at the step before, several tokens at a time.
    pub drafts: bool,
    /// Stop writing where the sentence or paragraph ends that is kept.
    pub early_stops: bool,
}

impl Speedups {
    /// Every text is written token by token, to its end.
    pub const NONE: Self = Self { drafts: false, early_stops: false };

    /// Removes from a hint what is switched off.
    pub(super) fn limit(self, hint: GenerationHint<'_>) -> GenerationHint<'_> {
        GenerationHint {
            draft: if self.drafts { hint.draft } else { "" },
            until: hint.until.filter(|_| self.early_stops || hint.stops_beams),
            ..hint
        }
    }
}

impl Default for Speedups {
    /// All of them.
    fn default() -> Self {
        Self { drafts: true, early_stops: true }
    }
}
