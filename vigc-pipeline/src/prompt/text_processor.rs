//! The text processors of the upstream program (`blip_processors.py`), which prepare questions, answers and captions for
//! the network.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// How many words the OKVQA and A-OKVQA configurations keep.
const CONFIGURED_WORDS: usize = 100;

/// How many words `blip_question` keeps by default.
const QUESTION_WORDS: usize = 50;

/// A text processor, by its upstream name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextProcessor {
    /// [`blip_caption`] with 100 words, for OKVQA, A-OKVQA and data sets that are mixed with them.
    BlipCaption,
    /// [`blip_caption_instruct`], for LLaVA's data.
    #[default]
    BlipCaptionInstruct,
    /// [`blip_question`] with 50 words.
    BlipQuestion,
}

impl TextProcessor {
    /// The processed text.
    #[must_use]
    pub fn apply(self, text: &str) -> String {
        match self {
            Self::BlipCaption => blip_caption(text, CONFIGURED_WORDS),
            Self::BlipCaptionInstruct => blip_caption_instruct(text).to_owned(),
            Self::BlipQuestion => blip_question(text, QUESTION_WORDS),
        }
    }
}

/// Converts a text to lower case, replaces each of ``.!"()*#:;~`` by a space, collapses white space and keeps the first
/// `max_words` words.
///
/// This splits numbers (`3.5` becomes `3 5`) and removes all periods, so a checkpoint that was trained on such texts
/// never writes a period.
#[must_use]
pub fn blip_caption(text: &str, max_words: usize) -> String {
    static SPACES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\s\x1c-\x1f]{2,}").expect("the pattern is valid"));
    let text = text.to_lowercase().replace(is_dropped, " ");
    let text = SPACES.replace_all(&text, " ");
    let text = text.trim_end_matches('\n').trim_matches(' ');
    first_words(text, max_words).into_owned()
}

/// Removes newlines at the end, then spaces at both ends.
#[must_use]
pub fn blip_caption_instruct(text: &str) -> &str {
    text.trim_end_matches('\n').trim_matches(' ')
}

/// Converts a text to lower case, deletes each of ``.!"()*#:;~``, removes spaces at the end and keeps the first
/// `max_words` words.
#[must_use]
pub fn blip_question(text: &str, max_words: usize) -> String {
    let text = text.to_lowercase().replace(is_dropped, "");
    first_words(text.trim_end_matches(' '), max_words).into_owned()
}

fn is_dropped(c: char) -> bool {
    ".!\"()*#:;~".contains(c)
}

fn first_words(text: &str, max_words: usize) -> Cow<'_, str> {
    let words = text.split(' ').collect::<Vec<_>>();
    if words.len() > max_words { words[..max_words].join(" ").into() } else { text.into() }
}

/// Python's `str.strip()`, which, unlike [`str::trim`], also removes the four ASCII separators.
#[must_use]
pub fn python_strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}
