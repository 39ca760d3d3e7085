//! A gate for malformed texts: questions that ask nothing, broken or repetitive answers, traces of a prompt.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::gate::{Gate, Outcome};
use crate::curation::rows::Row;
use crate::vigc::sentence;

/// The settings of [`Validity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValiditySettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// How often the same words may occur in a row.
    pub most_repeats: usize,
}

impl Default for ValiditySettings {
    fn default() -> Self {
        Self { enabled: true, most_repeats: 3 }
    }
}

/// Drops rows whose question does not ask anything, whose answer is empty, unfinished or repetitive, and rows
/// that contain traces of a prompt.
#[derive(Debug)]
pub struct Validity {
    settings: ValiditySettings,
}

/// Texts that belong to prompts and vocabularies, never to a question or an answer.
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

/// First words of requests, which end without a question mark.
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
    /// A gate with this limit.
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
        if !has_content(answer) {
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
        let is_complete = sentence::sentences(answer).last().is_some_and(|last| last.complete);
        if !row.task().has_short_answers() && !is_complete {
            return Outcome::dropped("unfinished", "does not end with a sentence");
        }
        Outcome::Passed
    }
}

/// Whether a text has a letter or a digit.
fn has_content(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Whether a text ends with a question mark or begins as a request.
fn is_question(text: &str) -> bool {
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '?' | '？');
    let asks = text.trim_end_matches(is_mark).ends_with(['?', '？']);
    let first = sentence::words(text).find(|word| word != "please").unwrap_or_default();
    has_content(text) && (asks || REQUESTS.contains(&first.as_str()))
}

/// The longest sequence of words that counts as a loop. Longer loops are found as repeated sentences.
const LONGEST_LOOP: usize = 12;

/// The first sentence that repeats an earlier one word for word.
fn repeated_sentence(text: &str) -> Option<&str> {
    let mut seen = HashSet::new();
    let sentences = sentence::sentences(text).into_iter().map(|span| &text[span.bytes]);
    let mut worded = sentences.map(|part| (part, sentence::normalize(part)));
    worded.find(|(_, words)| !words.is_empty() && !seen.insert(words.clone())).map(|(part, _)| part)
}

/// A sequence of words that occurs more than `most` times in a row.
fn repeated_words(text: &str, most: usize) -> Option<String> {
    let words = sentence::words(text).collect::<Vec<_>>();
    (1..=LONGEST_LOOP).find_map(|period| {
        let mut run = 0;
        let end = (period..words.len()).find(|&at| {
            run = if words[at] == words[at - period] { run + 1 } else { 0 };
            run >= period * most
        })?;
        Some(words[end + 1 - period..=end].join(" "))
    })
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

    #[test]
    fn a_loop_is_found_once_it_is_longer_than_allowed() {
        let times = |words: &str, times: usize| vec![words; times].join(" ");
        for words in ["very", "a cat,", "and on the left there is a"] {
            let bare = sentence::normalize(words);
            assert_eq!(repeated_words(&times(words, 3), 3), None, "{words}");
            assert_eq!(repeated_words(&times(words, 4), 3), Some(bare), "{words}");
        }
        let text = format!("It is {} good.", times("so", 3));
        assert_eq!((repeated_words(&text, 3), repeated_words(&text, 2)), (None, Some("so".into())));
        assert_eq!(repeated_words("", 3), None);
        assert_eq!(repeated_words("A red cup, a blue cup, a green cup and a black cup.", 3), None);
    }

    #[test]
    fn a_sentence_said_twice_is_found() {
        assert_eq!(repeated_sentence("It is red. It sits. It is red!"), Some("It is red!"));
        assert_eq!(repeated_sentence("It is red. It is not red. ... ..."), None);
    }
}
