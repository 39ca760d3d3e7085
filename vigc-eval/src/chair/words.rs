//! The words of a caption, as `word_tokenize` of NLTK 3.10 cuts them: Punkt's sentences, then the rules of the Penn
//! Treebank. Older versions differ where words stand in single quotes or between long dashes.
//!
//! Abbreviations and contractions are not looked up (`st.` gives two words, `cannot` one); no object is among
//! them, so the objects that are found are the same.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What may follow the full stop at a sentence's end, other than a blank.
const BEHIND_SENTENCE: &str = ")\";}]*:@'({[!?\u{2018}\u{2019}\u{201c}\u{201d}\u{ab}\u{bb}";
/// What follows the apostrophe in `'s` and so on, and is not the beginning of a quotation.
const CLITICS: [&str; 8] = ["re", "ve", "ll", "m", "t", "s", "d", "n"];

/// The rules in the order in which they are applied to a sentence.
struct Rules {
    quotation: Regex,
    full_stop: Regex,
    comma: Regex,
    last_comma: Regex,
    symbol: Regex,
    clitic: Regex,
    negation: Regex,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let rule = |pattern: &str| Regex::new(pattern).expect("the pattern is valid");
    Rules {
        quotation: rule(r"(^|\W)'(\w+)"),
        full_stop: rule(r#"([^.])\.([\])}>"'»”’ ]*)\s*$"#),
        comma: rule(r"([:,])(\D)"),
        last_comma: rule(r"[:,]$"),
        symbol: rule(r#"\.{2,}|--|''|`+|["«»“”‘„’;@#$%&?!*\[\](){}<>\u{2012}-\u{2015}]"#),
        clitic: rule("([^' ])('[smd]|') "),
        negation: rule("([^' ])('ll|'re|'ve|n't) "),
    }
});

/// The words and punctuation marks of a text, in small letters.
#[must_use]
pub(super) fn words(text: &str) -> Vec<String> {
    let text = text.trim().to_lowercase();
    sentences(&text).into_iter().flat_map(sentence_words).collect()
}

/// The text cut behind each full stop that ends a sentence. Other marks are words wherever they stand.
///
/// Of several marks that could end a sentence without a blank between them the last counts: `(A dog.)No!` is one
/// sentence.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let (mut start, mut at) = (0, 0);
    for piece in text.split_inclusive(char::is_whitespace) {
        let mut ends = piece.char_indices().filter(|&(index, mark)| {
            let next = piece[index + mark.len_utf8()..].chars().next();
            let is_end = |next: char| next.is_whitespace() || BEHIND_SENTENCE.contains(next);
            matches!(mark, '.' | '?' | '!') && next.is_some_and(is_end)
        });
        if let Some((index, '.')) = ends.next_back() {
            sentences.push(&text[start..=at + index]);
            start = at + index + 1;
        }
        at += piece.len();
    }
    sentences.push(&text[start..]);
    sentences
}

fn sentence_words(sentence: &str) -> Vec<String> {
    let rules = &*RULES;
    let text = rules.quotation.replace_all(sentence.trim(), |found: &Captures<'_>| {
        let blank = if CLITICS.contains(&&found[2]) { "" } else { " " };
        format!("{}'{blank}{}", &found[1], &found[2])
    });
    let text = rules.full_stop.replace(&text, "$1 . $2 ");
    let text = rules.comma.replace_all(&text, " $1 $2");
    let text = rules.last_comma.replace(&text, " $0 ");
    let text = rules.symbol.replace_all(&text, " $0 ");
    let text = format!(" {text} ");
    let text = rules.clitic.replace_all(&text, "$1 $2 ");
    let text = rules.negation.replace_all(&text, "$1 $2 ");
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_is_cut_off() {
        let cases = [
            ("A dog, a cat.", "a dog , a cat ."),
            ("A dog. A cat.\nA cow", "a dog . a cat . a cow"),
            ("(A dog.) A cat", "( a dog . ) a cat"),
            ("(A dog.)No! A cow", "( a dog. ) no ! a cow"),
            ("(A dog.)No! ", "( a dog . ) no !"),
            ("The dog's bowl", "the dog 's bowl"),
            ("The dogs' bowls", "the dogs ' bowls"),
            ("'hot dog' isn't", "' hot dog ' is n't"),
            ("man-made hot-dog/bus", "man-made hot-dog/bus"),
            ("dog.cat 1,000 dogs:cats", "dog.cat 1,000 dogs : cats"),
            ("dogs... cats--cows", "dogs ... cats -- cows"),
            ("\"dog\" “cat” [cow]", "\" dog \" “ cat ” [ cow ]"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }
}
