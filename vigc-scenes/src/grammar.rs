//! The closed grammar of the texts: sentences and questions as patterns with slots.

mod pattern;
mod questions;
mod statements;

pub use questions::{Question, parse_question};
pub use statements::{ParseSentenceError, parse_sentence, sentences};
