//! What a sentence claims about a scene.

use std::cmp::Ordering;

use crate::attributes::{Background, Cell, Color, Size};
use crate::noun_phrase::{Group, NounPhrase};
use crate::relation::{Extreme, Relation};
use crate::uses::Use;

/// One statement that is true or false of a scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// There is such an object.
    Exists(NounPhrase),
    /// There is no such object.
    Absent(NounPhrase),
    /// An object has a property, or does not have it.
    Is {
        /// The object.
        subject: NounPhrase,
        /// The property.
        property: Property,
        /// Whether the object is said to have it: true for `is`, false for `is not`.
        holds: bool,
    },
    /// Each of several objects has a property.
    Both {
        /// The objects.
        subjects: Subjects,
        /// The property.
        property: Property,
    },
    /// Two objects have the same attribute, or different ones.
    Alike {
        /// The objects.
        subjects: Subjects,
        /// The attribute that is compared.
        by: Attribute,
        /// True for `the same`, false for `different`.
        same: bool,
    },
    /// A group has this many objects.
    Count {
        /// The group.
        group: Group,
        /// The claimed number of objects.
        number: usize,
        /// An object that is not counted: `without the car, there would be two objects`.
        without: Option<NounPhrase>,
    },
    /// One group has more objects than another, fewer, or as many.
    Compare {
        /// The group that is named first.
        left: Group,
        /// How the number of its objects compares with the other group's.
        ordering: Ordering,
        /// The group that is named second.
        right: Group,
    },
    /// More objects have this color than any other.
    MostCommon(Color),
    /// The scene has this background.
    Background(Background),
    /// No object has the property.
    Nothing(Property),
    /// The answer to the question is yes (true) or no (false).
    Reply(bool),
}

/// What can be said of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Property {
    /// `red`.
    Color(Color),
    /// `small`.
    Size(Size),
    /// `on the left`.
    Place(Cell),
    /// `a small red car`.
    IsA(NounPhrase),
    /// `to the left of the car`.
    Related(Relation, NounPhrase),
    /// `between the car and the key`.
    Between(NounPhrase, NounPhrase),
    /// `furthest to the left`.
    Extreme(Extreme),
    /// `larger than the car`, `the same size as the car`.
    Compared(Ordering, NounPhrase),
    /// `you can sit on it`, `it would help a tired person`.
    GoodFor(Use),
}

impl Property {
    /// The other objects that the property mentions.
    #[must_use]
    pub fn nouns(&self) -> Vec<NounPhrase> {
        match *self {
            Self::Related(_, noun) | Self::Compared(_, noun) => vec![noun],
            Self::Between(one, other) => vec![one, other],
            _ => Vec::new(),
        }
    }
}

/// Several objects that a claim is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subjects {
    /// `they`: the objects that were mentioned before.
    They,
    /// `the car and the key`.
    Pair(NounPhrase, NounPhrase),
}

/// An attribute that two objects are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// The main color.
    Color,
    /// The size.
    Size,
}
