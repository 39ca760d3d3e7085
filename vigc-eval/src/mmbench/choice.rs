//! The option that a free answer means (VLMEvalKit, `utils/matching_util.py`, `can_infer`).

/// The choice that an answer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The option with this letter.
    Option(char),
    /// None of the options: the answer says `Z`, or refuses.
    Neither,
}

/// What VLMEvalKit's API clients write if they have no answer.
const FAILURE: &str = "Failed to obtain answer via API";

/// Refusals to answer.
const REFUSALS: [&str; 4] = [
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
];

/// The characters that can be around a letter.
const PUNCTUATION: &str = ".()[],:;!*#{}";

/// A letter counts only if it is among this many last words.
const LAST_WORDS: usize = 4;

/// The option that an answer means: the only letter that it has as a word, provided that it is among the last four words,
/// or else the only option whose text it contains. None if neither finds one.
#[must_use]
pub fn infer(answer: &str, options: &[(char, String)]) -> Option<Choice> {
    by_letter(answer, options).or_else(|| by_text(answer, options).map(Choice::Option))
}

fn by_letter(answer: &str, options: &[(char, String)]) -> Option<Choice> {
    if answer.contains(FAILURE) {
        return None;
    }
    if REFUSALS.iter().any(|refusal| answer.contains(refusal)) {
        return Some(Choice::Neither);
    }
    let between = |c: char| is_space(c) || PUNCTUATION.contains(c);
    let words: Vec<&str> = answer.split(between).filter(|word| !word.is_empty()).collect();
    let position = |letter: char| words.iter().position(|word| word.chars().eq([letter]));
    let mut named = options.iter().filter_map(|(letter, _)| Some((*letter, position(*letter)?)));
    match (named.next(), named.next()) {
        (Some((letter, first)), None) => {
            (first + LAST_WORDS >= words.len()).then_some(Choice::Option(letter))
        }
        (None, _) => words.contains(&"Z").then_some(Choice::Neither),
        (Some(_), Some(_)) => None,
    }
}

fn by_text(answer: &str, options: &[(char, String)]) -> Option<char> {
    let answer = answer.to_lowercase();
    let characters: usize = options.iter().map(|(_, text)| text.chars().count()).sum();
    if answer.chars().count() > 2 * characters {
        return None;
    }
    let mut found = options.iter().filter(|(_, text)| answer.contains(&text.to_lowercase()));
    match (found.next(), found.next()) {
        (Some((letter, _)), None) => Some(*letter),
        _ => None,
    }
}

/// Whether Python's `str.split()` splits here.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_by_letter_and_then_by_text() {
        let options: Vec<(char, String)> =
            [('A', "red"), ('B', "dark red"), ('C', "blue")].map(|(l, t)| (l, t.into())).into();
        let cases = [
            ("B", Some(Choice::Option('B'))),
            ("The answer is (C).", Some(Choice::Option('C'))),
            ("A red one", Some(Choice::Option('A'))),
            ("B is what I would say here", None),
            ("A or B", None),
            ("Blue!", Some(Choice::Option('C'))),
            ("dark red", None),
            ("Z", Some(Choice::Neither)),
            ("Cannot determine the answer, C", Some(Choice::Neither)),
            ("Failed to obtain answer via API. B", None),
            ("b", None),
            ("", None),
        ];
        for (answer, choice) in cases {
            assert_eq!(infer(answer, &options), choice, "{answer:?}");
        }
    }
}
