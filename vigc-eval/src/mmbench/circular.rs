//! The orders in which a question's options are shown.
//!
//! Published tables hold every order as a row of its own: row 1000241 asks what row 241 asks, with
//! the options moved. Tables with the first order alone are filled up here, as VLMEvalKit
//! (`tools.py`, `CIRCULAR`) and LLaVA (`model_vqa_mmbench.py`, `--all-rounds`) do it.

use std::iter::successors;

use super::Entry;

/// What the indices of one question's rows differ by.
pub(super) const OFFSET: u64 = 1_000_000;

/// Each row followed by its other orders: options move towards A, the first one to the end, and
/// the right letter with them. The index grows by a million for each move, or by the next power of
/// ten above all indices.
///
/// Rows whose options speak of letters ("both A and B") would change their meaning, so they stay
/// alone; so do rows with a gap between their options, and those whose answer is none of them.
#[must_use]
pub fn with_rotations(entries: &[Entry]) -> Vec<Entry> {
    let largest = entries.iter().map(|entry| entry.index).max().unwrap_or(0);
    let mut powers = successors(Some(OFFSET), |offset| offset.checked_mul(10));
    let offset = powers.find(|offset| largest < *offset).unwrap_or(u64::MAX);
    let mut all = Vec::new();
    for entry in entries {
        let orders = if can_move(entry) { entry.options.len() } else { 1 };
        all.extend((0..orders).map(|moves| moved(entry, moves, offset)));
    }
    all
}

fn moved(entry: &Entry, moves: usize, offset: u64) -> Entry {
    let letters: Vec<char> = entry.options.iter().map(|(letter, _)| *letter).collect();
    let mut texts: Vec<String> = entry.options.iter().map(|(_, text)| text.clone()).collect();
    texts.rotate_left(moves);
    let count = letters.len();
    let place = letters.iter().position(|letter| Some(*letter) == entry.answer);
    let answer = place.map(|place| letters[(place + count - moves) % count]);
    Entry {
        index: entry.index.saturating_add(offset.saturating_mul(moves as u64)),
        group: entry.index,
        options: letters.into_iter().zip(texts).collect(),
        answer: answer.or(entry.answer),
        ..entry.clone()
    }
}

fn can_move(entry: &Entry) -> bool {
    let is_next = |((letter, _), expected): (&(char, String), char)| *letter == expected;
    entry.options.len() > 1
        && entry.options.iter().zip('A'..).all(is_next)
        && entry.answer.is_none_or(|answer| entry.option(answer).is_some())
        && !speaks_of_letters(entry)
}

/// Whether an option names two letters of options, or is nothing but letters of the alphabet in a
/// row, like `A`.
fn speaks_of_letters(entry: &Entry) -> bool {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let names = |text: &str, letter: char| {
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
        words.any(|word| word.chars().eq([letter]))
    };
    entry.options.iter().any(|(_, text)| {
        let named = entry.options.iter().filter(|(letter, _)| names(text, *letter)).count();
        named > 1 || ALPHABET.contains(text.as_str())
    })
}
