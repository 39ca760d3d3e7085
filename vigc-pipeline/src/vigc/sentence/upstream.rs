//! Where the reference cuts its texts (`llava_150k_gen.py`).

use crate::prompt::python_strip;

/// What stands before the first full stop, stripped, with a full stop; empty if there is none.
///
/// Decimals and abbreviations are cut in two, `?` and `!` end nothing, and an answer without a full
/// stop is lost.
#[must_use]
pub fn first_sentence(text: &str) -> String {
    text.split_once('.').map(|(head, _)| format!("{}.", python_strip(head))).unwrap_or_default()
}

/// What stands before the first empty line, stripped; everything if there is none.
#[must_use]
pub fn first_paragraph(text: &str) -> &str {
    python_strip(text.split_once("\n\n").map_or(text, |(head, _)| head))
}
