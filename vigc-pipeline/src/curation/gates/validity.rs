//! Whether question and answer are what they should be.

mod repetition;

use serde::{Deserialize, Serialize};

use self::repetition::{repeated_sentence, repeated_words};
use super::{Gate, Outcome};
use crate::curation::Row;
use crate::vigc::sentence;

/// The settings of [`Validity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValiditySettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// How often the same words may follow one another.
    pub most_repeats: usize,
}

impl Default for ValiditySettings {
    fn default() -> Self {
        Self { enabled: true, most_repeats: 3 }
    }
}

/// Drops rows whose question asks nothing, whose answer says nothing, breaks off or goes round in circles, and
/// rows with traces of a prompt.
#[derive(Debug)]
pub struct Validity {
    settings: ValiditySettings,
}

/// What belongs to prompts and vocabularies, never to a text.
const TRACES: [&str; 17] = [
    "Question:",
    "Answer:",
    "<image>",
    "<Image>",
    "<ImageHere>",
    "<Img>",
    "USER:",
    "ASSISTANT:",
    "###",
    "<s>",
    "</s>",
    "<unk>",
    "<pad>",
    "[CLS]",
    "[SEP]",
    "[DEC]",
    "\u{FFFD}",
];

/// First words of requests, which need no question mark.
const REQUESTS: [&str; 37] = [
    "analyse",
    "analyze",
    "break",
    "characterise",
    "characterize",
    "clarify",
    "compare",
    "count",
    "create",
    "define",
    "depict",
    "describe",
    "discuss",
    "elaborate",
    "examine",
    "explain",
    "explore",
    "find",
    "give",
    "identify",
    "illustrate",
    "imagine",
    "list",
    "name",
    "narrate",
    "offer",
    "outline",
    "point",
    "portray",
    "provide",
    "share",
    "show",
    "state",
    "summarize",
    "tell",
    "walk",
    "write",
];

impl Validity {
    /// With this limit.
    #[must_use]
    pub fn new(settings: ValiditySettings) -> Self {
        Self { settings }
    }

    fn check_text(&self, text: &str, instruction: &str) -> Outcome {
        let trace = TRACES.into_iter().chain([instruction]).find(|trace| text.contains(trace));
        if let Some(trace) = trace.filter(|trace| !trace.is_empty()) {
            return Outcome::dropped("prompt", format!("holds {trace:?}"));
        }
        if let Some(words) = repeated_words(text, self.settings.most_repeats) {
            return Outcome::dropped("loop", format!("says {words:?} over and over"));
        }
        Outcome::Passed
    }
}

impl Gate for Validity {
    fn check(&mut self, row: &Row) -> Outcome {
        let (question, answer) = (row.question(), row.answer());
        if !is_question(question) {
            return Outcome::dropped("no_question", "neither ends with ? nor begins as a request");
        }
        if !says_something(answer) {
            return Outcome::dropped("empty_answer", "has neither letter nor digit");
        }
        for text in [question, answer] {
            let outcome = self.check_text(text, row.instruction());
            if outcome != Outcome::Passed {
                return outcome;
            }
        }
        if let Some(sentence) = repeated_sentence(answer) {
            return Outcome::dropped("repeated_sentence", format!("says {sentence:?} again"));
        }
        let is_whole = sentence::sentences(answer).last().is_some_and(|last| last.complete);
        if !row.task().has_short_answers() && !is_whole {
            return Outcome::dropped("unfinished", "does not end with a sentence");
        }
        Outcome::Passed
    }
}

fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Whether a text ends with a question mark or begins as a request.
fn is_question(text: &str) -> bool {
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '?' | '？');
    let asks = text.trim_end_matches(is_mark).ends_with(['?', '？']);
    let first = sentence::words(text).find(|word| word != "please").unwrap_or_default();
    says_something(text) && (asks || REQUESTS.contains(&first.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_end_with_a_mark_and_requests_begin_as_such() {
        for text in ["What is it?", "What is “it?”", "Describe the image", "Please list all. Now."]
        {
            assert!(is_question(text), "{text}");
        }
        for text in ["", "?", "It is a cat.", "What is behind the", "Is it? It is red."] {
            assert!(!is_question(text), "{text}");
        }
    }

    #[test]
    fn requests_are_listed_in_order() {
        assert!(REQUESTS.is_sorted());
    }
}
