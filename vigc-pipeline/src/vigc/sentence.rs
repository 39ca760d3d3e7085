//! Where sentences and paragraphs end.

mod abbreviation;
mod upstream;

use std::ops::Range;

pub use upstream::{
    first_paragraph as upstream_first_paragraph, first_sentence as upstream_first_sentence,
};

use self::abbreviation::{Ending, ending};

/// A sentence or a paragraph of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its bytes, without white space at the ends.
    pub bytes: Range<usize>,
    /// Whether it ends as its kind does, rather than where the text breaks off.
    pub complete: bool,
}

/// The sentences of a text.
///
/// Abbreviations, initials, decimals, URLs, ellipses and numbers of list items do not end a
/// sentence; `?`, `!` and new lines do. Quotations and parentheses are not cut in two.
///
/// ```
/// use vigc_pipeline::vigc::sentence;
///
/// let text = "Dr. Smith is 3.5 m tall. \"Is he?\" Yes";
/// let sentences = sentence::sentences(text).into_iter().map(|s| &text[s.bytes]);
/// assert!(sentences.eq(["Dr. Smith is 3.5 m tall.", "\"Is he?\"", "Yes"]));
/// ```
#[must_use]
pub fn sentences(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for line in lines(text) {
        let mut start = line.start;
        let mut at = line.start;
        while let Some(end) = next_terminator(text, at..line.end) {
            if ends_sentence(text, start, &end, line.end) {
                push(&mut spans, text, start..end.closed, true);
                start = end.closed;
            }
            at = end.closed;
        }
        push(&mut spans, text, start..line.end, false);
    }
    spans
}

/// Whether one of the sentences of a text ends where it does whatever the text goes on with: the first word after it is there, and the
/// character after that word. Sentences with quotations or parentheses never count as settled.
///
/// # Panics
///
/// Panics if there is no such sentence, or they are not the text's.
#[must_use]
pub fn is_settled(text: &str, sentences: &[Span], which: usize) -> bool {
    let sentence = &sentences[which];
    let after = &text[sentence.bytes.end..];
    let rest = after.trim_start();
    let opening = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = opening.trim_start_matches(char::is_alphanumeric);
    let has_word = opening.len() > word.len() && !word.is_empty();
    // Whether a mark within a quotation counts depends on all of its line.
    let is_plain = |sentence: &Span| !text[sentence.bytes.clone()].contains(is_opener);
    sentences[..=which].iter().all(is_plain)
        && sentence.complete
        && has_word
        && rest.len() < after.len()
}

/// The paragraphs of a text: what blank lines separate.
#[must_use]
pub fn paragraphs(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open = false;
    for line in lines(text) {
        let content = trimmed(text, line);
        if content.is_empty() {
            open = false;
        } else if let (true, Some(paragraph)) = (open, spans.last_mut()) {
            paragraph.bytes.end = content.end;
        } else {
            open = true;
            spans.push(Span { bytes: content, complete: false });
        }
    }
    let last = spans.len().saturating_sub(1);
    for (i, span) in spans.iter_mut().enumerate() {
        span.complete = i < last || is_complete(&text[span.bytes.clone()]);
    }
    spans
}

/// A text in a form that differs only if its words do: lower case, no punctuation.
#[must_use]
pub fn normalize(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

/// The words of a text, in lower case and without the punctuation around them.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let bare = |word: &'_ str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    text.split(|c: char| c.is_whitespace() || c == '—').map(bare).filter(|word| !word.is_empty())
}

/// Whether a text ends with a full stop, a question mark or an exclamation mark, quoted or not.
fn is_complete(text: &str) -> bool {
    text.trim_end_matches(is_closer).ends_with(is_terminator)
}

/// A group of terminators and the closing marks after them.
struct Terminator {
    start: usize,
    end: usize,
    closed: usize,
}

fn lines(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.split_inclusive('\n').scan(0, |start, line| {
        let range = *start..*start + line.len();
        *start = range.end;
        Some(range)
    })
}

fn next_terminator(text: &str, range: Range<usize>) -> Option<Terminator> {
    let part = &text[range.clone()];
    let start = part.find(is_terminator)?;
    let after = part[start..].trim_start_matches(is_terminator);
    let closed = after.trim_start_matches(is_closer);
    let at = |rest: &str| range.end - rest.len();
    Some(Terminator { start: range.start + start, end: at(after), closed: at(closed) })
}

fn ends_sentence(text: &str, start: usize, mark: &Terminator, line_end: usize) -> bool {
    let rest = &text[mark.closed..line_end];
    let Some(next) = rest.trim_start().chars().next() else { return true };
    let marks = &text[mark.start..mark.end];
    if !rest.starts_with(char::is_whitespace) {
        return marks.contains(is_wide_terminator);
    }
    let begun = &text[start..mark.start];
    let sentence = &text[start..mark.closed];
    if is_open(sentence) && !is_open(&text[start..line_end]) {
        return false;
    }
    let quoted = mark.closed > mark.end;
    if next.is_lowercase() && (quoted || is_ellipsis(marks)) {
        return false;
    }
    match marks {
        "." if !quoted => match ending(begun) {
            Ending::Word => true,
            Ending::Never => false,
            Ending::BeforeNewSentence => abbreviation::starts_sentence(rest),
            Ending::NotBeforeNumber => !next.is_ascii_digit(),
        },
        _ => true,
    }
}

fn push(spans: &mut Vec<Span>, text: &str, range: Range<usize>, complete: bool) {
    let bytes = trimmed(text, range);
    if !bytes.is_empty() {
        spans.push(Span { bytes, complete });
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

/// Whether a quotation or a parenthesis is open at the end of a text.
fn is_open(text: &str) -> bool {
    let count = |c: char| text.matches(c).count();
    count('"') % 2 == 1
        || [('(', ')'), ('[', ']'), ('“', '”')]
            .iter()
            .any(|&(open, close)| count(open) > count(close))
}

fn is_opener(c: char) -> bool {
    matches!(c, '"' | '(' | '[' | '“')
}

fn is_ellipsis(marks: &str) -> bool {
    marks.contains('…') || marks.starts_with("..")
}

fn is_terminator(c: char) -> bool {
    matches!(c, '.' | '?' | '!' | '…') || is_wide_terminator(c)
}

/// Terminators of scripts that put no space after them.
fn is_wide_terminator(c: char) -> bool {
    matches!(c, '。' | '！' | '？')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | ')' | ']' | '»')
}

#[cfg(test)]
mod tests;
