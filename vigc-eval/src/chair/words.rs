//! The words of a caption, in the form in which the vocabulary has them.
//!
//! [`words`] splits a text as `word_tokenize` of NLTK 3.10 does: sentences by Punkt, then the rules of the Penn
//! Treebank. Older versions differ for words in single quotes or between long dashes. Abbreviations and contractions
//! are not looked up (`st.` gives two words, `cannot` one). No object is among them, so the objects that are found
//! are the same.
//!
//! [`singular`] is `pattern.en.singularize` of Pattern 3.6 (clips/pattern), mistakes included. Its rules go back to
//! Bermi Ferrer's Inflector.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The characters besides white space that can follow the full stop of a sentence.
const BEHIND_SENTENCE: &str = ")\";}]*:@'({[!?\u{2018}\u{2019}\u{201c}\u{201d}\u{ab}\u{bb}";
/// The letters after an apostrophe that do not begin a quotation, as in `'s`.
const CLITICS: [&str; 8] = ["re", "ve", "ll", "m", "t", "s", "d", "n"];

/// The rules, in the order in which they are applied to a sentence.
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

/// The words and punctuation marks of a text, in lower case.
#[must_use]
pub(super) fn words(text: &str) -> Vec<String> {
    let text = text.trim().to_lowercase();
    sentences(&text).into_iter().flat_map(sentence_words).collect()
}

/// The text, split after each full stop that ends a sentence. Other marks are separate words everywhere.
///
/// If several marks without white space between them could end a sentence, the last one counts: `(A dog.)No!` is one
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

/// Words that stay as they are. So does every ending of one of them: `ears`, `ice`, `son`.
const UNCHANGED: &str = "
    advice bison bread bream breeches britches butter carp chassis cheese christmas clippers cod contretemps
    corps debris diabetes djinn eland electricity elk equipment flounder fruit furniture gallows garbage
    georgia graffiti gravel happiness headquarters herpes high-jinks homework information innings jackanapes
    ketchup knowledge love luggage mackerel mathematics mayonnaise measles meat mews mumps mustard news
    pincers pliers proceedings progress rabies research rice salmon sand scissors series shears software
    species swine swiss trout tuna understanding water whiting wildebeest
";

/// Endings in `ies` that stay as they are, because Pattern returns such plurals unchanged.
const IE_PLURALS: &str = "
    alergies aunties beanies birdies bogies bombies collies cookies cuties doggies eyries freebies goonies
    groupies hankies hippies hoagies hotties indies junkies laddies laramies lingeries meanies newbies
    nighties oldies pixies quickies reveries rookies softies sorties stoolies sweeties techies toughies
    valkyries veggies weenies yuppies zombies
";

/// Irregular endings with their replacements.
const IRREGULAR: &[(&str, &str)] = &[
    ("atlantes", "atlas"),
    ("atlases", "atlas"),
    ("axes", "axe"),
    ("beeves", "beef"),
    ("brethren", "brother"),
    ("children", "child"),
    ("corpora", "corpus"),
    ("corpuses", "corpus"),
    ("ephemerides", "ephemeris"),
    ("feet", "foot"),
    ("ganglia", "ganglion"),
    ("geese", "goose"),
    ("genera", "genus"),
    ("genii", "genie"),
    ("graffiti", "graffito"),
    ("helves", "helve"),
    ("kine", "cow"),
    ("leaves", "leaf"),
    ("loaves", "loaf"),
    ("men", "man"),
    ("mongooses", "mongoose"),
    ("monies", "money"),
    ("moves", "move"),
    ("mythoi", "mythos"),
    ("numena", "numen"),
    ("occipita", "occiput"),
    ("octopodes", "octopus"),
    ("opera", "opus"),
    ("opuses", "opus"),
    ("our", "my"),
    ("oxen", "ox"),
    ("penes", "penis"),
    ("penises", "penis"),
    ("people", "person"),
    ("sexes", "sex"),
    ("soliloquies", "soliloquy"),
    ("teeth", "tooth"),
    ("testes", "testis"),
    ("trilbys", "trilby"),
    ("turves", "turf"),
    ("zoa", "zoon"),
];

/// Regular endings, the number of letters that are removed, and their replacement. The first match counts.
/// `.` matches any character, `~` any character but a vowel.
const REGULAR: &[(&[&str], usize, &str)] = &[
    (&[".ae"], 1, ""),
    (&[".itis", "series", "news"], 0, ""),
    (&[".eaux"], 1, ""),
    (&["quizzes"], 3, ""),
    (&["matrices"], 4, "ix"),
    (&["apices", "vertices", "indices"], 4, "ex"),
    (&["aliases", "statuses"], 2, ""),
    (&["ci", "ii", "oi", "pi", "ri", "ti", "vi"], 1, "us"),
    (&["crises"], 2, "is"),
    (&["shoes"], 1, ""),
    (&["oes", "buses"], 2, ""),
    (&["lice", "mice"], 3, "ouse"),
    (&["ches", "shes", "sses", "xes"], 2, ""),
    (&["movies", ".ombies"], 1, ""),
    (&["~ies", "quies"], 3, "y"),
    (&["alves", "elves", "olves"], 3, "f"),
    (&["deaves"], 1, ""),
    (&[".eaves", "arves"], 3, "f"),
    (&["erves"], 1, ""),
    (&["lives", "nives", "wives"], 3, "fe"),
    (&["lves", "rves"], 3, "f"),
    (&["aves", "eves", "oves", "sives", "tives", "hives"], 1, ""),
    (&["fves"], 1, ""),
    (&[".ves"], 3, "fe"),
    (
        &["analyses", "bases", "diagnoses", "parentheses", "prognoses", "synopses", "theses"],
        2,
        "is",
    ),
    (&[".opses", ".yses"], 2, "is"),
    (&["boses", "closes", "doses", "hoses", "noses", "ooses", "poses", "roses"], 1, ""),
    (&[".oses"], 2, "is"),
    (&["ia", "ta"], 1, "um"),
    (&["s"], 1, ""),
];

/// The singular of a word in lower case, or the word itself, by the rules of the Python package `pattern`.
///
/// The result is not always an English word: `bus` becomes `bu`, and `ties` becomes `ty`. Unlike Pattern, this treats a
/// compound with a preposition (`mothers-in-law`) as one word.
#[must_use]
pub fn singular(word: &str) -> Cow<'_, str> {
    let mut unchanged = UNCHANGED.split_whitespace();
    let mut plurals = IE_PLURALS.split_whitespace();
    let stays = unchanged.any(|listed| listed.ends_with(word))
        || plurals.any(|plural| word.ends_with(plural));
    if stays {
        return word.into();
    }
    for (ending, singular) in IRREGULAR {
        if let Some(start) = word.strip_suffix(ending) {
            return format!("{start}{singular}").into();
        }
    }
    if let Some(rest) = word.strip_prefix("oxen") {
        return format!("ox{rest}").into();
    }
    let rule = REGULAR.iter().find(|(endings, ..)| endings.iter().any(|ending| fits(word, ending)));
    match rule {
        Some(&(_, cut, put)) if cut > 0 => format!("{}{put}", &word[..word.len() - cut]).into(),
        _ => word.into(),
    }
}

/// Whether a word has an ending of the table of regular endings.
fn fits(word: &str, ending: &str) -> bool {
    let mut letters = word.chars().rev();
    ending.chars().rev().all(|expected| {
        letters.next().is_some_and(|letter| match expected {
            '.' => true,
            '~' => !"aeiouy".contains(letter),
            _ => letter == expected,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_marks_are_words_of_their_own() {
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

    #[test]
    fn singulars_are_made_by_ending() {
        let cases = [
            ("dogs", "dog"),
            ("buses", "bus"),
            ("bus", "bu"),
            ("glasses", "glass"),
            ("glass", "glas"),
            ("women", "woman"),
            ("people", "person"),
            ("puppies", "puppy"),
            ("collies", "collies"),
            ("ties", "ty"),
            ("knives", "knife"),
            ("wolves", "wolf"),
            ("shelves", "shelve"),
            ("mice", "mouse"),
            ("scissors", "scissors"),
            ("ears", "ears"),
            ("s", "s"),
            ("é", "é"),
            ("", ""),
        ];
        for (plural, expected) in cases {
            assert_eq!(singular(plural), expected, "{plural}");
        }
    }
}
