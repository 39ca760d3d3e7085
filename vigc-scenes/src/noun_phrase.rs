//! Noun phrases: how the texts refer to objects.

use crate::attributes::{Cell, Color, Kind, Size};
use crate::scene::{Object, Scene};

/// The article or pronoun of a noun phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Article {
    /// `a` or `an`: some object.
    Indefinite,
    /// `the`: an object that the phrase identifies.
    Definite,
    /// `it`: the object that was mentioned last.
    Pronoun,
}

/// A noun phrase, with the attributes that it mentions: `the small red car on the left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NounPhrase {
    /// The article or pronoun.
    pub article: Article,
    /// The size, if the phrase mentions it.
    pub size: Option<Size>,
    /// The color, if the phrase mentions it.
    pub color: Option<Color>,
    /// The kind. Without one, the phrase says `object`.
    pub kind: Option<Kind>,
    /// The place, if the phrase mentions it.
    pub cell: Option<Cell>,
}

impl NounPhrase {
    /// `it`.
    pub const IT: Self =
        Self { article: Article::Pronoun, size: None, color: None, kind: None, cell: None };

    /// The phrase that mentions every attribute of an object.
    #[must_use]
    pub fn full(object: &Object) -> Self {
        Self {
            article: Article::Definite,
            size: Some(object.size),
            color: Some(object.color),
            kind: Some(object.kind),
            cell: Some(object.cell),
        }
    }

    /// The same phrase without the size.
    #[must_use]
    pub fn without_size(self) -> Self {
        Self { size: None, ..self }
    }

    /// The same phrase without the color.
    #[must_use]
    pub fn without_color(self) -> Self {
        Self { color: None, ..self }
    }

    /// The same phrase without the kind.
    #[must_use]
    pub fn without_kind(self) -> Self {
        Self { kind: None, ..self }
    }

    /// The same phrase without the place.
    #[must_use]
    pub fn without_cell(self) -> Self {
        Self { cell: None, ..self }
    }

    /// Whether the phrase describes an object. `it` describes every object.
    #[must_use]
    pub fn fits(&self, object: &Object) -> bool {
        self.size.is_none_or(|size| size == object.size)
            && self.color.is_none_or(|color| color == object.color)
            && self.kind.is_none_or(|kind| kind == object.kind)
            && self.cell.is_none_or(|cell| cell == object.cell)
    }

    /// The phrase with the definite article: `the small red car on the left`.
    #[must_use]
    pub fn the(&self) -> String {
        if self.article == Article::Pronoun {
            return "it".to_owned();
        }
        format!("the {}", self.bare())
    }

    /// The phrase with the indefinite article: `a small red car on the left`.
    #[must_use]
    pub fn a(&self) -> String {
        let bare = self.bare();
        let article = if bare.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {bare}")
    }

    /// The phrase without an article: `small red car on the left`.
    #[must_use]
    pub fn bare(&self) -> String {
        let words = [
            self.size.map(Size::name),
            self.color.map(Color::name),
            Some(self.kind.map_or("object", Kind::name)),
            self.cell.map(Cell::place),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// All objects that share some attributes: `red objects`, `small keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Group {
    /// The size, if the objects share it.
    pub size: Option<Size>,
    /// The color, if the objects share it.
    pub color: Option<Color>,
    /// The kind. Without one, the group is named `objects`.
    pub kind: Option<Kind>,
}

impl Group {
    /// All objects.
    pub const OBJECTS: Self = Self { size: None, color: None, kind: None };

    /// All objects of a color.
    #[must_use]
    pub fn of_color(color: Color) -> Self {
        Self { color: Some(color), ..Self::OBJECTS }
    }

    /// All objects of a kind.
    #[must_use]
    pub fn of_kind(kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::OBJECTS }
    }

    /// All objects of a size.
    #[must_use]
    pub fn of_size(size: Size) -> Self {
        Self { size: Some(size), ..Self::OBJECTS }
    }

    /// Whether an object belongs to the group.
    #[must_use]
    pub fn holds(&self, object: &Object) -> bool {
        self.noun().fits(object)
    }

    /// The plural: `red objects`.
    #[must_use]
    pub fn plural(&self) -> String {
        let words = [
            self.size.map(Size::name),
            self.color.map(Color::name),
            Some(self.kind.map_or("objects", Kind::plural)),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The group with a number: `two red objects`, `one red object`, `no red objects`.
    #[must_use]
    pub fn counted(&self, count: usize) -> String {
        let noun = if count == 1 { self.noun().bare() } else { self.plural() };
        format!("{} {noun}", number_word(count))
    }

    fn noun(self) -> NounPhrase {
        let Self { size, color, kind } = self;
        NounPhrase { article: Article::Definite, size, color, kind, cell: None }
    }
}

/// The number words of the texts.
pub(crate) const NUMBERS: [&str; 7] = ["no", "one", "two", "three", "four", "five", "six"];

/// The word for a number up to six; `no` for 0.
pub(crate) fn number_word(number: usize) -> &'static str {
    NUMBERS.get(number).copied().unwrap_or("many")
}

impl Scene {
    /// The indices of the objects that the phrase describes, in reading order.
    #[must_use]
    pub fn matching(&self, noun: &NounPhrase) -> Vec<usize> {
        self.indices(|object| noun.fits(object))
    }

    /// The number of objects in a group.
    #[must_use]
    pub fn count(&self, group: &Group) -> usize {
        self.objects.iter().filter(|object| group.holds(object)).count()
    }

    /// Whether the phrase describes exactly one object.
    #[must_use]
    pub fn identifies(&self, noun: &NounPhrase) -> bool {
        self.matching(noun).len() == 1
    }
}
