//! What an answer says.

use super::questions::Label;

/// Yes or no, as the reference program's `evaluate.py` reads an answer: no if its first sentence has the word
/// `No`, `no` or `not`, and else yes.
///
/// A sentence ends at the first full stop, commas do not count, and only blanks part words: `No!`, `NO` and
/// `isn't` say yes.
#[must_use]
pub fn parse(answer: &str) -> Label {
    let sentence = answer.split('.').next().unwrap_or_default().replace(',', "");
    let says_no = sentence.split(' ').any(|word| matches!(word, "No" | "no" | "not"));
    if says_no { Label::No } else { Label::Yes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_decides() {
        let cases = [
            ("No", Label::No),
            ("no, there is none", Label::No),
            ("There is not a cat.", Label::No),
            ("Yes. There is no dog.", Label::Yes),
            ("No,there is none", Label::Yes),
            ("NO", Label::Yes),
            ("No!", Label::Yes),
            ("There isn't", Label::Yes),
            ("I know nothing", Label::Yes),
            ("It is\nno cat", Label::Yes),
            (". No", Label::Yes),
            ("", Label::Yes),
        ];
        for (answer, expected) in cases {
            assert_eq!(parse(answer), expected, "{answer:?}");
        }
    }
}
