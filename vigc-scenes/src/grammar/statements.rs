//! Statements: from a sentence to its claims.

use std::cmp::Ordering;
use std::sync::LazyLock;

use super::pattern::{Pattern, Slot, words};
use crate::claim::{Attribute, Claim, Property, Subjects};
use crate::noun_phrase::NounPhrase;

/// A sentence or question that is not in the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sentence of the scenes' grammar")]
pub struct ParseSentenceError(pub String);

/// Splits a text into its sentences. In the grammar, `.`, `!` and `?` only end sentences.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

type Build = fn(&[Slot]) -> Option<Vec<Claim>>;

/// Parses a statement into what it claims, clause by clause.
///
/// # Errors
///
/// [`ParseSentenceError`] if the sentence is not in the grammar.
pub fn parse_sentence(sentence: &str) -> Result<Vec<Claim>, ParseSentenceError> {
    static PATTERNS: LazyLock<Vec<(Pattern, Build)>> = LazyLock::new(|| {
        SENTENCES.iter().map(|&(pattern, build)| (Pattern::new(pattern), build)).collect()
    });
    let words = words(sentence);
    let (reply, rest) = match words.as_slice() {
        [yes, comma, rest @ ..] if yes == "yes" && comma == "," => (Some(true), rest),
        [no, comma, rest @ ..] if no == "no" && comma == "," => (Some(false), rest),
        rest => (None, rest),
    };
    let found =
        PATTERNS.iter().find_map(|(pattern, build)| pattern.read(rest, &mut |slots| build(slots)));
    let claims = found.ok_or_else(|| ParseSentenceError(sentence.trim().to_owned()))?;
    Ok(reply.map(Claim::Reply).into_iter().chain(claims).collect())
}

const SENTENCES: &[(&str, Build)] = &[
    ("there is {list}", list),
    ("there is {list} in front of {bg}", list),
    ("the picture shows {list}", list),
    ("the picture shows {list} in front of {bg}", list),
    ("a picture of {list}", list),
    ("a picture of {list} in front of {bg}", list),
    ("{bg} with {list}", list),
    ("{list} in front of {bg}", list),
    ("{place} there is {an}", placed),
    ("{place} , there is {an}", placed),
    ("there is no {bare}", absent),
    ("there is no {bare} in the picture", absent),
    ("there is {count}", count),
    ("there are {count}", count),
    ("there is {count} in the picture", count),
    ("there are {count} in the picture", count),
    ("the picture shows {count}", count),
    ("the picture shows {count} in front of {bg}", count),
    ("there is {count} in front of {bg}", count),
    ("there are {count} in front of {bg}", count),
    ("without {the} , there would be {count}", without),
    ("without {the} there would be {count}", without),
    ("{the} is {prop}", is),
    ("{the} is not {prop}", is_not),
    ("{the} is {prop} and {prop}", is),
    ("{the} is {prop} and {the} is {prop}", is_and_is),
    ("nothing is {prop}", nothing),
    ("{the} and {the} are {prop}", both),
    ("{the} and {the} are both {prop}", both),
    ("they are both {prop}", they_are),
    ("they are {prop}", they_are),
    ("{the} and {the} have the same color", |s| alike(s, Attribute::Color, true)),
    ("{the} and {the} have the same size", |s| alike(s, Attribute::Size, true)),
    ("{the} and {the} have different colors", |s| alike(s, Attribute::Color, false)),
    ("{the} and {the} have different sizes", |s| alike(s, Attribute::Size, false)),
    ("they have the same color", |_| Some(they_alike(Attribute::Color, true))),
    ("they have the same size", |_| Some(they_alike(Attribute::Size, true))),
    ("they have different colors", |_| Some(they_alike(Attribute::Color, false))),
    ("they have different sizes", |_| Some(they_alike(Attribute::Size, false))),
    ("there are more {group} than {group}", |s| compare(s, Ordering::Greater)),
    ("there are fewer {group} than {group}", |s| compare(s, Ordering::Less)),
    ("there are as many {group} as {group}", |s| compare(s, Ordering::Equal)),
    ("the most common color is {color}", most_common),
    ("the background is {bg}", background),
    ("behind the objects there is {bg}", background),
    ("behind {the} there is {bg}", background),
    ("{the} would help {person}", good_for),
    ("{person} could use {the}", good_for),
    ("you can {verb} {the}", good_for),
    ("you cannot {verb} {the}", not_good_for),
    ("nothing would help {person}", helps_nobody),
    ("nothing in the picture would help {person}", helps_nobody),
];

fn list(slots: &[Slot]) -> Option<Vec<Claim>> {
    let mut claims = Vec::new();
    for slot in slots {
        match slot {
            Slot::List(nouns) => claims.extend(nouns.iter().copied().map(Claim::Exists)),
            Slot::Background(background) => claims.push(Claim::Background(*background)),
            _ => return None,
        }
    }
    Some(claims)
}

fn placed(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Place(cell), Slot::Noun(noun)] = slots else { return None };
    let consistent = noun.cell.is_none_or(|inner| inner == *cell);
    consistent.then(|| vec![Claim::Exists(NounPhrase { cell: Some(*cell), ..*noun })])
}

fn absent(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Noun(noun)] = slots else { return None };
    Some(vec![Claim::Absent(*noun)])
}

fn count(slots: &[Slot]) -> Option<Vec<Claim>> {
    let mut claims = Vec::new();
    for slot in slots {
        claims.push(match *slot {
            Slot::Count(number, group) => Claim::Count { group, number, without: None },
            Slot::Background(background) => Claim::Background(background),
            _ => return None,
        });
    }
    Some(claims)
}

fn without(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Noun(noun), Slot::Count(number, group)] = slots else { return None };
    Some(vec![Claim::Count { group: *group, number: *number, without: Some(*noun) }])
}

fn is(slots: &[Slot]) -> Option<Vec<Claim>> {
    let (Slot::Noun(subject), properties) = slots.split_first()? else { return None };
    let mut claims = Vec::new();
    for slot in properties {
        let Slot::Property(property) = *slot else { return None };
        let subject = if claims.is_empty() { *subject } else { NounPhrase::IT };
        claims.push(Claim::Is { subject, property, holds: true });
    }
    Some(claims)
}

fn is_and_is(slots: &[Slot]) -> Option<Vec<Claim>> {
    let (first, second) = slots.split_at_checked(2)?;
    Some([is(first)?, is(second)?].concat())
}

fn is_not(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Noun(subject), Slot::Property(property)] = *slots else { return None };
    Some(vec![Claim::Is { subject, property, holds: false }])
}

fn nothing(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Property(property)] = *slots else { return None };
    Some(vec![Claim::Nothing(property)])
}

fn both(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Noun(one), Slot::Noun(other), Slot::Property(property)] = *slots else {
        return None;
    };
    Some(vec![Claim::Both { subjects: Subjects::Pair(one, other), property }])
}

fn they_are(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Property(property)] = *slots else { return None };
    Some(vec![Claim::Both { subjects: Subjects::They, property }])
}

fn alike(slots: &[Slot], by: Attribute, same: bool) -> Option<Vec<Claim>> {
    let [Slot::Noun(one), Slot::Noun(other)] = *slots else { return None };
    Some(vec![Claim::Alike { subjects: Subjects::Pair(one, other), by, same }])
}

fn they_alike(by: Attribute, same: bool) -> Vec<Claim> {
    vec![Claim::Alike { subjects: Subjects::They, by, same }]
}

fn compare(slots: &[Slot], ordering: Ordering) -> Option<Vec<Claim>> {
    let [Slot::Group(left), Slot::Group(right)] = *slots else { return None };
    Some(vec![Claim::Compare { left, ordering, right }])
}

fn most_common(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Color(color)] = *slots else { return None };
    Some(vec![Claim::MostCommon(color)])
}

/// `Behind the car there is a wall` also claims that there is a car.
fn background(slots: &[Slot]) -> Option<Vec<Claim>> {
    match *slots {
        [Slot::Background(background)] => Some(vec![Claim::Background(background)]),
        [Slot::Noun(subject), Slot::Background(background)] => {
            let property = Property::IsA(subject);
            let there = Claim::Is { subject, property, holds: true };
            Some(vec![there, Claim::Background(background)])
        }
        _ => None,
    }
}

fn good_for(slots: &[Slot]) -> Option<Vec<Claim>> {
    use_of(slots, true)
}

fn not_good_for(slots: &[Slot]) -> Option<Vec<Claim>> {
    use_of(slots, false)
}

fn use_of(slots: &[Slot], holds: bool) -> Option<Vec<Claim>> {
    let ([Slot::Noun(subject), Slot::Use(purpose)] | [Slot::Use(purpose), Slot::Noun(subject)]) =
        *slots
    else {
        return None;
    };
    Some(vec![Claim::Is { subject, property: Property::GoodFor(purpose), holds }])
}

fn helps_nobody(slots: &[Slot]) -> Option<Vec<Claim>> {
    let [Slot::Use(purpose)] = *slots else { return None };
    Some(vec![Claim::Nothing(Property::GoodFor(purpose))])
}
