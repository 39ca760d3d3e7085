//! The prompts of a question, and the orders in which its options are shown.

use std::iter::successors;

use super::table::{Entry, OFFSET};

/// The form of a prompt with a question and its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Template {
    /// VLMEvalKit's default (`dataset/image_mcq.py`, `build_prompt`).
    #[default]
    VlmEvalKit,
    /// LLaVA's (`model_vqa_mmbench.py`, `--single-pred-prompt`), which asks for the letter. As upstream, options end before
    /// the first that is `none`.
    Llava,
}

impl Template {
    /// The complete prompt, without a placeholder for the image.
    #[must_use]
    pub fn prompt(self, entry: &Entry) -> String {
        match self {
            Self::VlmEvalKit => vlm_eval_kit(entry),
            Self::Llava => llava(entry),
        }
    }
}

fn vlm_eval_kit(entry: &Entry) -> String {
    let hint = entry.hint.as_ref().map(|hint| format!("Hint: {hint}\n")).unwrap_or_default();
    let question = format!("{hint}Question: {}\n", entry.question);
    if entry.options.is_empty() {
        return question;
    }
    let options: String =
        entry.options.iter().map(|(letter, text)| format!("{letter}. {text}\n")).collect();
    // VLMEvalKit has the space before the end of the line.
    format!(
        "{question}Options:\n{options}Please select the correct answer from the options above. \n"
    )
}

fn llava(entry: &Entry) -> String {
    let mut lines: Vec<String> = entry.hint.iter().filter(|hint| !is_none(hint)).cloned().collect();
    lines.push(entry.question.clone());
    let texts = ('A'..='D').map_while(|letter| entry.option(letter).filter(|text| !is_none(text)));
    lines.extend(('A'..).zip(texts).map(|(letter, text)| format!("{letter}. {text}")));
    lines.push("Answer with the option's letter from the given choices directly.".to_owned());
    lines.join("\n")
}

/// Whether LLaVA treats a text as an empty cell.
fn is_none(text: &str) -> bool {
    ["nan", "none"].contains(&text.to_lowercase().as_str())
}

/// Each row, followed by the same question with its options in other orders, as VLMEvalKit (`tools.py`, `CIRCULAR`) and
/// LLaVA (`model_vqa_mmbench.py`, `--all-rounds`) make them.
///
/// Published tables have a row for each order: row 1000241 asks the question of row 241 with its options moved. This
/// function completes tables that have only the first order. Options move towards A, the first one to the end, and the
/// right letter moves with them. The index grows by a million for each move, or by the next power of ten above all
/// indices.
///
/// Options that mention letters ("both A and B") would change their meaning, so such rows are left as they are. So are
/// rows with a gap between their options, and rows whose answer is none of their options.
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
        && !mentions_letters(entry)
}

/// Whether an option mentions two letters of options, or consists of consecutive letters of the alphabet, such as `A`.
fn mentions_letters(entry: &Entry) -> bool {
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
