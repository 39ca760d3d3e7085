//! Matching of words against patterns such as `there is {an} {place}`.

use super::slot::{Slot, SlotKind};

/// One element of a pattern.
#[derive(Debug, Clone, Copy)]
enum Element {
    Word(&'static str),
    Slot(SlotKind),
}

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Element>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Panics
    /// On an unknown slot; the patterns are constants and all of them are parsed by a test.
    pub(super) fn new(text: &'static str) -> Self {
        let element = |word: &'static str| match word.strip_prefix('{') {
            Some(name) => Element::Slot(SlotKind::named(name.trim_end_matches('}'))),
            None => Element::Word(word),
        };
        Self(text.split_ascii_whitespace().map(element).collect())
    }

    /// The first way to read all of `words` for which `accept` has an answer.
    pub(super) fn read<T>(
        &self,
        words: &[String],
        accept: &mut impl FnMut(&[Slot]) -> Option<T>,
    ) -> Option<T> {
        read(&self.0, words, &mut Vec::new(), accept)
    }
}

fn read<T>(
    pattern: &[Element],
    words: &[String],
    slots: &mut Vec<Slot>,
    accept: &mut impl FnMut(&[Slot]) -> Option<T>,
) -> Option<T> {
    let Some((element, pattern)) = pattern.split_first() else {
        return if words.is_empty() { accept(slots) } else { None };
    };
    match element {
        Element::Word(word) => {
            let (first, rest) = words.split_first()?;
            if first == word { read(pattern, rest, slots, accept) } else { None }
        }
        Element::Slot(kind) => kind.read(words).into_iter().find_map(|(slot, length)| {
            slots.push(slot);
            let found = read(pattern, &words[length..], slots, accept);
            slots.pop();
            found
        }),
    }
}
