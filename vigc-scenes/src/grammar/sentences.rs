//! Statements: from a sentence to its claims.

use std::cmp::Ordering;
use std::sync::LazyLock;

use super::super::claim::{Claim, Property, Subjects, Trait};
use super::super::noun::Noun;
use super::pattern::Pattern;
use super::slot::Slot;
use super::words;

/// A sentence that the grammar does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the grammar has no sentence `{0}`")]
pub struct Unparsed(pub String);

type Build = fn(&[Slot]) -> Option<Vec<Claim>>;

/// What the sentence says, clause by clause.
///
/// # Errors
/// If the grammar does not have the sentence.
pub fn claims(sentence: &str) -> Result<Vec<Claim>, Unparsed> {
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
    let claims = found.ok_or_else(|| Unparsed(sentence.trim().to_owned()))?;
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
    ("{the} and {the} have the same color", |s| alike(s, Trait::Color, true)),
    ("{the} and {the} have the same size", |s| alike(s, Trait::Size, true)),
    ("{the} and {the} have different colors", |s| alike(s, Trait::Color, false)),
    ("{the} and {the} have different sizes", |s| alike(s, Trait::Size, false)),
    ("they have the same color", |_| Some(they_alike(Trait::Color, true))),
    ("they have the same size", |_| Some(they_alike(Trait::Size, true))),
    ("they have different colors", |_| Some(they_alike(Trait::Color, false))),
    ("they have different sizes", |_| Some(they_alike(Trait::Size, false))),
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
    consistent.then(|| vec![Claim::Exists(Noun { cell: Some(*cell), ..*noun })])
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
        let subject = if claims.is_empty() { *subject } else { Noun::IT };
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

fn alike(slots: &[Slot], by: Trait, same: bool) -> Option<Vec<Claim>> {
    let [Slot::Noun(one), Slot::Noun(other)] = *slots else { return None };
    Some(vec![Claim::Alike { subjects: Subjects::Pair(one, other), by, same }])
}

fn they_alike(by: Trait, same: bool) -> Vec<Claim> {
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

/// The object behind which the background is must exist, too.
fn background(slots: &[Slot]) -> Option<Vec<Claim>> {
    match *slots {
        [Slot::Background(background)] => Some(vec![Claim::Background(background)]),
        [Slot::Noun(subject), Slot::Background(background)] => {
            let property = Property::Such(subject);
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
