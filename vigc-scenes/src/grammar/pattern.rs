//! Matching of words against patterns such as `there is {an} {place}`.

use std::cmp::{Ordering, Reverse};

use crate::attributes::{Background, Cell, Color, Kind, Size};
use crate::claim::Property;
use crate::noun_phrase::{Article, Group, NUMBERS, NounPhrase};
use crate::relation::{Extreme, Relation};
use crate::uses::Use;

/// Lower-case words. A comma is a word, and final punctuation is left out.
pub(super) fn words(text: &str) -> Vec<String> {
    text.trim()
        .trim_end_matches(['.', '?', '!'])
        .replace(',', " , ")
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// One element of a pattern.
#[derive(Debug, Clone, Copy)]
enum Element {
    Word(&'static str),
    Slot(SlotKind),
}

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Element>);

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Panics
    ///
    /// Panics on an unknown slot. The patterns are constants, and the tests parse all of them.
    pub(super) fn new(text: &'static str) -> Self {
        let element = |word: &'static str| match word.strip_prefix('{') {
            Some(name) => Element::Slot(SlotKind::named(name.trim_end_matches('}'))),
            None => Element::Word(word),
        };
        Self(text.split_ascii_whitespace().map(element).collect())
    }

    /// Matches all of `words`. Of several ways to match them, the first that `accept` makes something of counts.
    pub(super) fn read<T>(
        &self,
        words: &[String],
        accept: &mut impl FnMut(&[Slot]) -> Option<T>,
    ) -> Option<T> {
        read(&self.0, words, &mut Vec::new(), accept)
    }
}

fn read<T>(
    pattern: &[Element],
    words: &[String],
    slots: &mut Vec<Slot>,
    accept: &mut impl FnMut(&[Slot]) -> Option<T>,
) -> Option<T> {
    let Some((element, pattern)) = pattern.split_first() else {
        return if words.is_empty() { accept(slots) } else { None };
    };
    match element {
        Element::Word(word) => {
            let (first, rest) = words.split_first()?;
            if first == word { read(pattern, rest, slots, accept) } else { None }
        }
        Element::Slot(kind) => kind.read(words).into_iter().find_map(|(slot, length)| {
            slots.push(slot);
            let found = read(pattern, &words[length..], slots, accept);
            slots.pop();
            found
        }),
    }
}

/// The value of a slot.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    Noun(NounPhrase),
    List(Vec<NounPhrase>),
    Place(Cell),
    Group(Group),
    Count(usize, Group),
    Property(Property),
    /// A relation or an extreme, which nothing needs the value of.
    Other,
    Color(Color),
    Background(Background),
    Use(Use),
}

/// What a slot matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlotKind {
    The,
    An,
    Bare,
    List,
    Place,
    Group,
    Count,
    Property,
    Relation,
    Extreme,
    Color,
    Background,
    Person,
    Verb,
}

/// A value and how many words it was read from.
type Read<T> = (T, usize);

impl SlotKind {
    fn named(name: &str) -> Self {
        match name {
            "the" => Self::The,
            "an" => Self::An,
            "bare" => Self::Bare,
            "list" => Self::List,
            "place" => Self::Place,
            "group" => Self::Group,
            "count" => Self::Count,
            "prop" => Self::Property,
            "rel" => Self::Relation,
            "extreme" => Self::Extreme,
            "color" => Self::Color,
            "bg" => Self::Background,
            "person" => Self::Person,
            "verb" => Self::Verb,
            other => panic!("`{other}` is not a slot"),
        }
    }

    /// Every way in which the slot can match the first words.
    fn read(self, words: &[String]) -> Vec<Read<Slot>> {
        fn all<T>(reads: Vec<Read<T>>, wrap: impl Fn(T) -> Slot) -> Vec<Read<Slot>> {
            reads.into_iter().map(|(value, length)| (wrap(value), length)).collect()
        }
        match self {
            Self::The => all(the(words), Slot::Noun),
            Self::An => all(an(words), Slot::Noun),
            Self::Bare => all(noun(words, Article::Indefinite), Slot::Noun),
            Self::List => all(list(words), Slot::List),
            Self::Place => all(place(words), Slot::Place),
            Self::Group => all(group(words), Slot::Group),
            Self::Count => all(count(words), |(number, group)| Slot::Count(number, group)),
            Self::Property => all(property(words), Slot::Property),
            Self::Relation => all(relation(words), |_| Slot::Other),
            Self::Extreme => all(phrase(words, &Extreme::ALL, Extreme::phrase), |_| Slot::Other),
            Self::Color => all(phrase(words, &Color::ALL, Color::name), Slot::Color),
            Self::Background => all(background(words), Slot::Background),
            Self::Person => all(phrase(words, &Use::ALL, Use::person), Slot::Use),
            Self::Verb => all(phrase(words, &Use::ALL, Use::verb), Slot::Use),
        }
    }
}

/// The number of words in `text`, if `words` begin with it.
fn starts(words: &[String], text: &str) -> Option<usize> {
    let mut length = 0;
    for expected in text.split_ascii_whitespace() {
        if words.get(length)? != expected {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// The values whose phrase `words` begin with, the longest phrase first.
fn phrase<T: Copy>(words: &[String], all: &[T], text: impl Fn(T) -> &'static str) -> Vec<Read<T>> {
    let mut reads: Vec<Read<T>> = all
        .iter()
        .filter_map(|&value| starts(words, text(value)).map(|length| (value, length)))
        .collect();
    reads.sort_by_key(|&(_, length)| Reverse(length));
    reads
}

fn place(words: &[String]) -> Vec<Read<Cell>> {
    phrase(words, &Cell::ALL, Cell::place)
}

fn relation(words: &[String]) -> Vec<Read<Relation>> {
    phrase(words, &Relation::ALL, Relation::phrase)
}

fn background(words: &[String]) -> Vec<Read<Background>> {
    let skip = starts(words, "a").unwrap_or(0);
    let reads = phrase(&words[skip..], &Background::ALL, Background::name);
    reads.into_iter().map(|(value, length)| (value, skip + length)).collect()
}

/// `[size] [color] kind`.
fn described(
    words: &[String],
    kinds: impl Fn(&str) -> Option<Option<Kind>>,
) -> Option<Read<Group>> {
    let mut length = 0;
    let size = Size::ALL.into_iter().find(|size| starts(words, size.name()).is_some());
    length += usize::from(size.is_some());
    let color =
        Color::ALL.into_iter().find(|color| starts(&words[length..], color.name()).is_some());
    length += usize::from(color.is_some());
    let kind = kinds(words.get(length)?)?;
    Some((Group { size, color, kind }, length + 1))
}

fn singular(word: &str) -> Option<Option<Kind>> {
    if word == "object" {
        return Some(None);
    }
    Kind::ALL.into_iter().find(|kind| kind.name() == word).map(Some)
}

fn plural(word: &str) -> Option<Option<Kind>> {
    if word == "objects" {
        return Some(None);
    }
    Kind::ALL.into_iter().find(|kind| kind.plural() == word).map(Some)
}

/// `[size] [color] kind [place]`; the reading with the place comes first.
fn noun(words: &[String], article: Article) -> Vec<Read<NounPhrase>> {
    let Some((Group { size, color, kind }, length)) = described(words, singular) else {
        return Vec::new();
    };
    let bare = NounPhrase { article, size, color, kind, cell: None };
    let placed = place(&words[length..])
        .into_iter()
        .map(|(cell, more)| (NounPhrase { cell: Some(cell), ..bare }, length + more));
    placed.chain([(bare, length)]).collect()
}

fn after<T>(skipped: usize, reads: Vec<Read<T>>) -> Vec<Read<T>> {
    reads.into_iter().map(|(value, length)| (value, skipped + length)).collect()
}

fn the(words: &[String]) -> Vec<Read<NounPhrase>> {
    match words.first().map(String::as_str) {
        Some("it") => vec![(NounPhrase::IT, 1)],
        Some("the") => after(1, noun(&words[1..], Article::Definite)),
        _ => Vec::new(),
    }
}

fn an(words: &[String]) -> Vec<Read<NounPhrase>> {
    match words.first().map(String::as_str) {
        Some("a" | "an") => after(1, noun(&words[1..], Article::Indefinite)),
        _ => Vec::new(),
    }
}

/// `a car on the left , a key and a cup at the top`.
fn list(words: &[String]) -> Vec<Read<Vec<NounPhrase>>> {
    let mut reads = Vec::new();
    for (first, length) in an(words) {
        let rest = &words[length..];
        let skip = match rest.first().map(String::as_str) {
            Some("," | "and") => 1,
            _ => 0,
        };
        if skip == 1 {
            let skip = skip + usize::from(rest.get(1).is_some_and(|word| word == "and"));
            for (mut more, taken) in list(&rest[skip..]) {
                more.insert(0, first);
                reads.push((more, length + skip + taken));
            }
        }
        reads.push((vec![first], length));
    }
    reads
}

fn group(words: &[String]) -> Vec<Read<Group>> {
    described(words, plural).into_iter().collect()
}

fn count(words: &[String]) -> Vec<Read<(usize, Group)>> {
    let Some(number) = NUMBERS.iter().position(|&word| starts(words, word).is_some()) else {
        return Vec::new();
    };
    let kinds = |word: &str| if number == 1 { singular(word) } else { plural(word) };
    described(&words[1..], kinds)
        .into_iter()
        .map(|(group, length)| ((number, group), 1 + length))
        .collect()
}

fn property(words: &[String]) -> Vec<Read<Property>> {
    let mut reads = Vec::new();
    reads.extend(map(place(words), Property::Place));
    reads.extend(map(an(words), Property::IsA));
    reads.extend(map(phrase(words, &Extreme::ALL, Extreme::phrase), Property::Extreme));
    reads.extend(map(phrase(words, &Color::ALL, Color::name), Property::Color));
    reads.extend(map(phrase(words, &Size::ALL, Size::name), Property::Size));
    for (relation, length) in relation(words) {
        reads.extend(map(after(length, the(&words[length..])), |other| {
            Property::Related(relation, other)
        }));
    }
    for (text, ordering) in COMPARISONS {
        if let Some(length) = starts(words, text) {
            reads.extend(map(after(length, the(&words[length..])), |other| {
                Property::Compared(ordering, other)
            }));
        }
    }
    if let Some(length) = starts(words, "between") {
        for (one, taken) in after(length, the(&words[length..])) {
            if words.get(taken).is_some_and(|word| word == "and") {
                let others = after(taken + 1, the(&words[taken + 1..]));
                reads.extend(map(others, |other| Property::Between(one, other)));
            }
        }
    }
    reads
}

const COMPARISONS: [(&str, Ordering); 3] = [
    ("larger than", Ordering::Greater),
    ("smaller than", Ordering::Less),
    ("the same size as", Ordering::Equal),
];

fn map<T, U>(reads: Vec<Read<T>>, wrap: impl Fn(T) -> U) -> impl Iterator<Item = Read<U>> {
    reads.into_iter().map(move |(value, length)| (wrap(value), length))
}
