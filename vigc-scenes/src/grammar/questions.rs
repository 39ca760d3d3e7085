//! Questions: what they presuppose, and what a yes would claim.

use std::cmp::Ordering;
use std::sync::LazyLock;

use super::pattern::{Pattern, Slot, words};
use super::statements::ParseSentenceError;
use crate::claim::{Claim, Property};
use crate::noun_phrase::{Article, Group, NounPhrase};

/// A question of the grammar.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The objects that the question presupposes. It is about the first one.
    pub presupposed: Vec<NounPhrase>,
    /// The groups whose objects it counts.
    pub counted: Vec<Group>,
    /// What the answer `yes` would claim; `None` for a question that is not answered with yes or no.
    pub yes: Option<Claim>,
}

type Build = fn(&[Slot]) -> Option<Claim>;

/// Parses a question.
///
/// # Errors
///
/// [`ParseSentenceError`] if the question is not in the grammar.
pub fn parse_question(question: &str) -> Result<Question, ParseSentenceError> {
    static PATTERNS: LazyLock<Vec<(Pattern, Option<Build>)>> = LazyLock::new(|| {
        let open = OPEN.iter().map(|&pattern| (Pattern::new(pattern), None));
        let closed = CLOSED.iter().map(|&(pattern, build)| (Pattern::new(pattern), Some(build)));
        open.chain(closed).collect()
    });
    let mut words = words(question);
    if let Some(found) = PATTERNS.iter().find_map(|pattern| read(pattern, &words)) {
        return Ok(found);
    }
    let unparsed = || ParseSentenceError(question.trim().to_owned());
    let context = split_context(&mut words).ok_or_else(unparsed)?;
    let mut found =
        PATTERNS.iter().find_map(|pattern| read(pattern, &words)).ok_or_else(unparsed)?;
    found.presupposed.extend(context);
    Ok(found)
}

fn read((pattern, build): &(Pattern, Option<Build>), words: &[String]) -> Option<Question> {
    pattern.read(words, &mut |slots| {
        let yes = match build {
            Some(build) => Some(build(slots)?),
            None => None,
        };
        Some(Question { presupposed: presupposed(slots), counted: counted(slots), yes })
    })
}

/// Removes `in the picture [with the red car]` from the end and returns the car; `None` if the words end otherwise.
fn split_context(words: &mut Vec<String>) -> Option<Option<NounPhrase>> {
    let start = words.windows(3).position(|three| three == ["in", "the", "picture"])?;
    let context: Vec<String> = words.drain(start..).skip(3).collect();
    if context.is_empty() {
        return Some(None);
    }
    let noun = Pattern::new("with {the}").read(&context, &mut |slots| match slots {
        [Slot::Noun(noun)] => Some(*noun),
        _ => None,
    });
    noun.map(Some)
}

fn counted(slots: &[Slot]) -> Vec<Group> {
    let group = |slot: &Slot| match *slot {
        Slot::Group(group) => Some(group),
        _ => None,
    };
    slots.iter().filter_map(group).collect()
}

fn presupposed(slots: &[Slot]) -> Vec<NounPhrase> {
    let mut nouns = Vec::new();
    for slot in slots {
        match *slot {
            Slot::Noun(noun) if noun.article == Article::Definite => nouns.push(noun),
            Slot::Place(cell) => nouns.push(NounPhrase {
                article: Article::Definite,
                cell: Some(cell),
                size: None,
                color: None,
                kind: None,
            }),
            Slot::Property(property) => nouns.extend(property.nouns()),
            _ => {}
        }
    }
    nouns
}

const OPEN: &[&str] = &[
    "what color is {the}",
    "what color is {the} , and where is {the}",
    "what color is {the} , and what size is it",
    "what size is {the}",
    "what size is {the} , and what is {place}",
    "what size is {the} , and what is next to it",
    "where is {the}",
    "where are {the} and {the}",
    "what is {place}",
    "what is {rel} {the}",
    "which objects are {rel} {the}",
    "what is behind {the}",
    "what is the background",
    "what is the background of the picture with {the}",
    "what can you say about {the}",
    "how many {group} are there",
    "how many {group} are",
    "how many objects would be left without {the}",
    "can you describe the picture with {the} in detail",
    "can you describe the picture with {the} and {the} in detail",
    "what does the picture with {the} show in detail",
    "what do you see around {the}",
    "which object is between {the} and {the}",
    "which object is {extreme}",
    "what is the most common color",
    "what do {the} and {the} have in common",
    "what can you do with {the}",
    "what can you do with {the} , and where is it",
    "what would help {person}",
    "what would help {person} , and where is it",
    "what in the picture with {the} would help {person} , and where is it",
    "should {person} use {the} or {the}",
];

const CLOSED: &[(&str, Build)] = &[
    ("is there {an}", exists),
    ("is {the} {prop}", is),
    ("can you {verb} {the}", can),
    ("are there more {group} than {group}", compare),
    ("are there {count}", count),
];

fn exists(slots: &[Slot]) -> Option<Claim> {
    let [Slot::Noun(noun)] = *slots else { return None };
    Some(Claim::Exists(noun))
}

fn is(slots: &[Slot]) -> Option<Claim> {
    let [Slot::Noun(subject), Slot::Property(property)] = *slots else { return None };
    Some(Claim::Is { subject, property, holds: true })
}

fn can(slots: &[Slot]) -> Option<Claim> {
    let [Slot::Use(purpose), Slot::Noun(subject)] = *slots else { return None };
    Some(Claim::Is { subject, property: Property::GoodFor(purpose), holds: true })
}

fn compare(slots: &[Slot]) -> Option<Claim> {
    let [Slot::Group(left), Slot::Group(right)]: [Slot; 2] = slots.to_vec().try_into().ok()? else {
        return None;
    };
    Some(Claim::Compare { left, ordering: Ordering::Greater, right })
}

fn count(slots: &[Slot]) -> Option<Claim> {
    let [Slot::Count(number, group)] = *slots else { return None };
    Some(Claim::Count { group, number, without: None })
}
