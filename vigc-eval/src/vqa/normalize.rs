//! Normalization of answers before they are compared, as in VQA's `vqaEval.py`.
//!
//! The steps are those of the upstream program, mistakes included, because published numbers depend on them.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use vigc_pipeline::prompt::python_strip;

/// Marks that are deleted or become a space. Apostrophes, colons, `$`, `%` and `&` stay.
const MARKS: &str = ";/[]\"{}()=+\\_-><@`,?!";

/// The number of full stops that are deleted. The upstream program passes `re.UNICODE`, which is 32, to `re.sub` as the
/// number of replacements.
const MAX_FULL_STOPS: usize = 32;

/// Words in their right spelling with apostrophes.
const CONTRACTIONS: &str = "
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
    haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't
    mightn't've must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've
    shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll
    someone's something'd something'd've something'll that's there'd there'd've there're there's
    they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're
    what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're
    why's won't would've wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're
    you've";

/// Applies all steps: [`strip`], [`punctuation`], [`digits_and_articles`].
#[must_use]
pub fn normalize(answer: &str) -> String {
    digits_and_articles(&punctuation(&strip(answer)))
}

/// Turns line feeds and tabs into spaces, and strips white space from both ends.
#[must_use]
pub fn strip(answer: &str) -> String {
    python_strip(&answer.replace(['\n', '\t'], " ")).to_owned()
}

/// Deletes marks or replaces them with spaces, and deletes every full stop that is not before a digit.
///
/// A mark is deleted everywhere if it is next to a space anywhere. All marks are deleted if there is a comma between two
/// digits anywhere. Other marks become spaces.
///
/// So `1,000` becomes `1000` and `black-and-white` becomes `black and white`, but `red/white, blue`
/// becomes `red white blue` and `red/white 1,000` becomes `redwhite 1000`. A full stop after a
/// digit was meant to stay, but the pattern for that (`(?!<=\d)`) never matches.
#[must_use]
pub fn punctuation(text: &str) -> String {
    let beside_space = marks_beside_space(text);
    let all = has_comma_in_number(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match MARKS.find(c) {
            None => out.push(c),
            Some(mark) if all || beside_space & (1 << mark) != 0 => {}
            Some(_) => out.push(' '),
        }
    }
    without_full_stops(&out)
}

/// Converts to lower case, writes `none` and the words from `zero` to `ten` as digits, deletes articles, adds missing
/// apostrophes, and joins the words with single spaces.
///
/// Articles are deleted even if nothing else is left: the answer `a` becomes empty.
#[must_use]
pub fn digits_and_articles(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let lower = text.to_lowercase();
    for word in lower.split(is_python_space).filter(|word| !word.is_empty()) {
        let word = digits(word);
        if matches!(word, "a" | "an" | "the") {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(with_apostrophes(word));
    }
    out
}

/// A bit for each mark that is next to a space.
fn marks_beside_space(text: &str) -> u32 {
    let pairs = text.chars().zip(text.chars().skip(1));
    let mark = |(before, c)| match (before, c) {
        (' ', mark) | (mark, ' ') => MARKS.find(mark),
        _ => None,
    };
    pairs.filter_map(mark).fold(0, |marks, mark| marks | 1 << mark)
}

fn has_comma_in_number(text: &str) -> bool {
    text.match_indices(',').any(|(at, _)| {
        text[..at].chars().next_back().is_some_and(is_digit)
            && text[at + 1..].chars().next().is_some_and(is_digit)
    })
}

fn without_full_stops(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = MAX_FULL_STOPS;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '.' && left > 0 && !chars.peek().is_some_and(|&next| is_digit(next)) {
            left -= 1;
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether Python's `\d` matches: a decimal digit of any script.
fn is_digit(c: char) -> bool {
    static DIGIT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\d").expect("the pattern is valid"));
    c.is_ascii_digit() || (!c.is_ascii() && DIGIT.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Whether Python's `str.split()` splits here: at white space, and at the four ASCII separators.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn digits(word: &str) -> &str {
    match word {
        "none" | "zero" => "0",
        "one" => "1",
        "two" => "2",
        "three" => "3",
        "four" => "4",
        "five" => "5",
        "six" => "6",
        "seven" => "7",
        "eight" => "8",
        "nine" => "9",
        "ten" => "10",
        other => other,
    }
}

/// The word of [`CONTRACTIONS`] that this is with one apostrophe left out, or the word itself.
///
/// The upstream list also has words such as `Im`, which no word in lower case equals, and removes the apostrophe of
/// `somebody'd`.
fn with_apostrophes(word: &str) -> &str {
    static WRONG: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        let one_left_out = |right: &'static str| {
            let places = right.match_indices('\'');
            places.map(move |(at, _)| (format!("{}{}", &right[..at], &right[at + 1..]), right))
        };
        let mut wrong: HashMap<_, _> =
            CONTRACTIONS.split_whitespace().flat_map(one_left_out).collect();
        wrong.insert("somebody'd".to_owned(), "somebodyd");
        wrong
    });
    WRONG.get(word).copied().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_next_to_a_space_is_deleted_everywhere() {
        let cases = [
            ("black-and-white", "black and white"),
            ("black- and-white", "black andwhite"),
            ("red/white 1,000", "redwhite 1000"),
            ("3.5", "3.5"),
            ("3.", "3"),
            (".5.", ".5"),
            ("a.b.", "ab"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(punctuation(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_thirty_third_full_stop_stays() {
        assert_eq!(punctuation(&".".repeat(40)), ".".repeat(8));
    }

    #[test]
    fn articles_go_and_apostrophes_come() {
        let cases = [
            ("The two  dogs", "2 dogs"),
            ("a", ""),
            ("Couldntve couldnt've", "couldntve couldn't've"),
            ("somebody'd lets IM", "somebodyd lets im"),
        ];
        for (text, expected) in cases {
            assert_eq!(digits_and_articles(text), expected, "{text:?}");
        }
    }
}
