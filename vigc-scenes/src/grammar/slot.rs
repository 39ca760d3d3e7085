//! What stands in the slots of a pattern.

use std::cmp::Ordering;

use super::super::claim::Property;
use super::super::noun::{Article, Group, NUMBERS, Noun};
use super::super::{Background, Cell, Color, Extreme, Kind, Relation, Size, Use};

/// The value of a slot.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    Noun(Noun),
    List(Vec<Noun>),
    Place(Cell),
    Group(Group),
    Count(usize, Group),
    Property(Property),
    /// Read, but of no consequence for what a question takes for granted.
    Other,
    Color(Color),
    Background(Background),
    Use(Use),
}

/// What a slot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotKind {
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

/// A value and the number of words that it takes.
type Read<T> = (T, usize);

impl SlotKind {
    pub(super) fn named(name: &str) -> Self {
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

    /// Every way in which the slot can take the first words.
    pub(super) fn read(self, words: &[String]) -> Vec<Read<Slot>> {
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

/// The length of `text` in words, if `words` begin with it.
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

/// The values whose phrase comes first, the longest phrase in front.
fn phrase<T: Copy>(words: &[String], all: &[T], text: impl Fn(T) -> &'static str) -> Vec<Read<T>> {
    let mut reads: Vec<Read<T>> = all
        .iter()
        .filter_map(|&value| starts(words, text(value)).map(|length| (value, length)))
        .collect();
    reads.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
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

/// `[size] [color] kind`: the attributes and the number of words.
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

/// `[size] [color] kind [place]`, with the place first.
fn noun(words: &[String], article: Article) -> Vec<Read<Noun>> {
    let Some((Group { size, color, kind }, length)) = described(words, singular) else {
        return Vec::new();
    };
    let bare = Noun { article, size, color, kind, cell: None };
    let placed = place(&words[length..])
        .into_iter()
        .map(|(cell, more)| (Noun { cell: Some(cell), ..bare }, length + more));
    placed.chain([(bare, length)]).collect()
}

fn after<T>(skipped: usize, reads: Vec<Read<T>>) -> Vec<Read<T>> {
    reads.into_iter().map(|(value, length)| (value, skipped + length)).collect()
}

fn the(words: &[String]) -> Vec<Read<Noun>> {
    match words.first().map(String::as_str) {
        Some("it") => vec![(Noun::IT, 1)],
        Some("the") => after(1, noun(&words[1..], Article::Definite)),
        _ => Vec::new(),
    }
}

fn an(words: &[String]) -> Vec<Read<Noun>> {
    match words.first().map(String::as_str) {
        Some("a" | "an") => after(1, noun(&words[1..], Article::Indefinite)),
        _ => Vec::new(),
    }
}

/// `a car on the left , a key and a cup at the top`.
fn list(words: &[String]) -> Vec<Read<Vec<Noun>>> {
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
    reads.extend(map(an(words), Property::Such));
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
