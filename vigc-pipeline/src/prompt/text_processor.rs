//! The text processors of the reference (`blip_processors.py`): what is done to questions, answers
//! and captions before the network sees them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// Words that the OKVQA and A-OKVQA configurations keep of a text.
const CONFIGURED_WORDS: usize = 100;

/// Words that `blip_question` keeps by default.
const QUESTION_WORDS: usize = 50;

/// A text processor, by the reference's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextProcessor {
    /// [`blip_caption`] with 100 words, for OKVQA, A-OKVQA and what is mixed with them.
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

/// Lower-cases, replaces each of ``.!"()*#:;~`` by a space, joins runs of white space and keeps the
/// first `max_words` words.
///
/// Numbers fall apart (`3.5` becomes `3 5`) and no full stop survives, so a checkpoint trained on
/// such texts never writes one.
#[must_use]
pub fn blip_caption(text: &str, max_words: usize) -> String {
    static SPACES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\s\x1c-\x1f]{2,}").expect("the pattern is valid"));
    let text = text.to_lowercase().replace(is_dropped, " ");
    let text = SPACES.replace_all(&text, " ");
    let text = text.trim_end_matches('\n').trim_matches(' ');
    first_words(text, max_words).into_owned()
}

/// Strips newlines from the end, then spaces from both sides.
#[must_use]
pub fn blip_caption_instruct(text: &str) -> &str {
    text.trim_end_matches('\n').trim_matches(' ')
}

/// Lower-cases, deletes each of ``.!"()*#:;~``, strips spaces from the end and keeps the first
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

/// Python's `str.strip()`, which also strips the four ASCII separators.
#[must_use]
pub fn python_strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}
