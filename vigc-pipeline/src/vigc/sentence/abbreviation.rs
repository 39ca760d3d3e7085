//! Words whose full stop does not, or not always, end a sentence.

/// What a full stop after a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The sentence ends.
    Word,
    /// It goes on.
    Never,
    /// It ends if what follows plainly begins one.
    BeforeNewSentence,
    /// It ends unless a number follows.
    NotBeforeNumber,
}

/// Words that something always follows.
const NEVER: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "sgt", "capt", "gen", "col", "lt", "rev", "hon", "mt", "e.g",
    "i.e", "eg", "ie", "vs", "cf", "approx", "ca", "viz", "resp", "incl",
];

/// Words that may end a sentence.
const SOMETIMES: &[&str] = &[
    "etc", "al", "inc", "ltd", "co", "corp", "jr", "sr", "st", "ave", "rd", "blvd", "ft", "lb",
    "lbs", "oz", "sq", "dept", "est", "a.m", "p.m", "min", "max",
];

/// Abbreviations that a number follows.
const BEFORE_NUMBER: &[&str] = &["no", "nos", "fig", "figs", "p", "pp", "vol", "ch", "sec"];

/// Words that begin sentences more often than they follow an abbreviation.
const STARTERS: &[&str] = &[
    "The",
    "A",
    "An",
    "This",
    "That",
    "These",
    "Those",
    "There",
    "Here",
    "It",
    "He",
    "She",
    "They",
    "We",
    "You",
    "I",
    "His",
    "Her",
    "Its",
    "Their",
    "Our",
    "My",
    "Your",
    "In",
    "On",
    "At",
    "By",
    "For",
    "From",
    "With",
    "To",
    "As",
    "And",
    "But",
    "Or",
    "So",
    "If",
    "When",
    "While",
    "Where",
    "What",
    "Who",
    "Why",
    "How",
    "Is",
    "Are",
    "Was",
    "Were",
    "Do",
    "Does",
    "Did",
    "One",
    "Two",
    "Some",
    "Several",
    "Many",
    "Most",
    "Both",
    "Each",
    "Another",
    "Other",
    "Others",
    "Next",
    "Behind",
    "Overall",
    "Additionally",
    "However",
    "Yes",
    "No",
    "Not",
];

/// What a full stop after `begun`, the sentence so far, means.
pub(super) fn ending(begun: &str) -> Ending {
    let word = begun.rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_first = begun.trim_start().len() == word.len();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let lower = word.to_lowercase();
    let among = |list: &[&str]| list.contains(&lower.as_str());
    if among(NEVER) || (is_first && is_list_number(word)) {
        Ending::Never
    } else if among(BEFORE_NUMBER) {
        Ending::NotBeforeNumber
    } else if among(SOMETIMES) || is_initials(word) {
        Ending::BeforeNewSentence
    } else {
        Ending::Word
    }
}

/// Whether a text plainly begins a sentence.
pub(super) fn starts_sentence(text: &str) -> bool {
    let first = text.trim_start().trim_start_matches(['"', '“', '\'', '(']);
    let (word, rest) =
        first.split_at(first.find(|c: char| !c.is_alphanumeric()).unwrap_or(first.len()));
    let is_initial = word.len() == 1 && rest.starts_with('.');
    STARTERS.contains(&word) && !is_initial
}

fn is_list_number(word: &str) -> bool {
    !word.is_empty() && word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `J`, `U.S`, `b.c`: single letters, full stops between them; a lone one is a capital.
fn is_initials(word: &str) -> bool {
    let is_letter = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    };
    word.split('.').all(is_letter) && (word.contains('.') || word.chars().all(char::is_uppercase))
}
