//! Conditions other than the end token that end a text.

use crate::tokenizer::TextTokenizer;

/// Decides whether a hypothesis ends after its last token.
///
/// A closure `|prompt, tokens| ...` is a condition, too.
pub trait StopCondition {
    /// Whether `tokens`, all that were generated for a prompt, are complete. Called after every token.
    fn is_met(&self, prompt: usize, tokens: &[u32]) -> bool;
}

/// A condition that is never met.
#[derive(Debug, Clone, Copy)]
pub struct NeverStop;

impl StopCondition for NeverStop {
    fn is_met(&self, _: usize, _: &[u32]) -> bool {
        false
    }
}

impl<F: Fn(usize, &[u32]) -> bool> StopCondition for F {
    fn is_met(&self, prompt: usize, tokens: &[u32]) -> bool {
        self(prompt, tokens)
    }
}

/// Ends a text when it contains one of several strings.
#[derive(Debug, Clone)]
pub struct StopStrings<'a> {
    tokenizer: &'a TextTokenizer,
    strings: Vec<String>,
    window: usize,
}

impl<'a> StopStrings<'a> {
    /// Looks for `strings`. Empty ones are ignored.
    #[must_use]
    pub fn new(tokenizer: &'a TextTokenizer, strings: &[impl AsRef<str>]) -> Self {
        let strings: Vec<_> = strings.iter().map(|string| string.as_ref().to_owned()).collect();
        let strings: Vec<_> = strings.into_iter().filter(|string| !string.is_empty()).collect();
        // Every token has at least one byte of text, except for the space at the beginning of a text.
        let window = strings.iter().map(String::len).max().unwrap_or(0) + 4;
        Self { tokenizer, strings, window }
    }

    /// The part of `text` before the first of the strings.
    #[must_use]
    pub fn trim<'t>(&self, text: &'t str) -> &'t str {
        let ends = self.strings.iter().filter_map(|string| text.find(string.as_str()));
        &text[..ends.min().unwrap_or(text.len())]
    }
}

impl StopCondition for StopStrings<'_> {
    fn is_met(&self, _: usize, tokens: &[u32]) -> bool {
        let recent = &tokens[tokens.len().saturating_sub(self.window)..];
        let text = self.tokenizer.decode_untrimmed(recent).unwrap_or_default();
        self.strings.iter().any(|string| text.contains(string.as_str()))
    }
}
