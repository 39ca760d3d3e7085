//! What a sentence says about a picture.

use std::cmp::Ordering;

use super::noun::{Group, Noun};
use super::{Background, Cell, Color, Extreme, Relation, Size, Use};

/// One statement that is true or false of a scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// There is such an object.
    Exists(Noun),
    /// There is no such object.
    Absent(Noun),
    /// The object has the property, or has not.
    Is {
        /// The object spoken of.
        subject: Noun,
        /// What is said about it.
        property: Property,
        /// False for `is not`.
        holds: bool,
    },
    /// Each of several objects has the property.
    Both {
        /// The objects spoken of.
        subjects: Subjects,
        /// What is said about each.
        property: Property,
    },
    /// Two objects agree in a trait, or differ.
    Alike {
        /// The objects spoken of.
        subjects: Subjects,
        /// What is compared.
        by: Trait,
        /// False for `different`.
        same: bool,
    },
    /// The number of objects in a group.
    Count {
        /// The objects counted.
        group: Group,
        /// How many there are said to be.
        number: usize,
        /// An object that is thought away.
        without: Option<Noun>,
    },
    /// One group against another.
    Compare {
        /// The group named first.
        left: Group,
        /// How its number compares with the other's.
        ordering: Ordering,
        /// The group named second.
        right: Group,
    },
    /// More objects have this color than any other.
    MostCommon(Color),
    /// What is behind the objects.
    Background(Background),
    /// No object has the property.
    Nothing(Property),
    /// `Yes` or `no` to the question.
    Reply(bool),
}

/// What an object can be said to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Property {
    /// `red`.
    Color(Color),
    /// `small`.
    Size(Size),
    /// `on the left`.
    Place(Cell),
    /// `a small red car`.
    Such(Noun),
    /// `to the left of the car`.
    Related(Relation, Noun),
    /// `between the car and the key`.
    Between(Noun, Noun),
    /// `furthest to the left`.
    Extreme(Extreme),
    /// `larger than the car`, `the same size as the car`.
    Compared(Ordering, Noun),
    /// `you can sit on it`, `it would help a tired person`.
    GoodFor(Use),
}

impl Property {
    /// The other objects that the property names.
    #[must_use]
    pub fn nouns(&self) -> Vec<Noun> {
        match *self {
            Self::Related(_, noun) | Self::Compared(_, noun) => vec![noun],
            Self::Between(one, other) => vec![one, other],
            _ => Vec::new(),
        }
    }
}

/// Several objects at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subjects {
    /// `they`: the objects that were spoken of.
    They,
    /// `the car and the key`.
    Pair(Noun, Noun),
}

/// What two objects are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// The main color.
    Color,
    /// The size.
    Size,
}
