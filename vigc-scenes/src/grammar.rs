//! The closed grammar of the texts: sentences and questions, as patterns with slots.

mod pattern;
mod questions;
mod sentences;
mod slot;

pub use questions::{Question, parse_question};
pub use sentences::{Unparsed, claims};

/// Lower-case words; a comma is a word, final punctuation is left out.
fn words(text: &str) -> Vec<String> {
    text.trim()
        .trim_end_matches(['.', '?', '!'])
        .replace(',', " , ")
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// The sentences of a text; the grammar has no other use of `.`, `!` and `?`.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?']).map(str::trim).filter(|sentence| !sentence.is_empty())
}
