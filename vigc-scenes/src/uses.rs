//! What each kind of object is good for, and who needs it.

use serde::{Deserialize, Serialize};

use crate::attributes::Kind;

/// Something that people do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Use {
    Eat,
    Drink,
    Sit,
    StayDry,
    Light,
    Unlock,
    Play,
    Read,
    Drive,
    Wear,
    TellTime,
    Store,
    Live,
    Water,
    Catch,
}

impl Use {
    /// Every use.
    pub const ALL: [Self; 15] = [
        Self::Eat,
        Self::Drink,
        Self::Sit,
        Self::StayDry,
        Self::Light,
        Self::Unlock,
        Self::Play,
        Self::Read,
        Self::Drive,
        Self::Wear,
        Self::TellTime,
        Self::Store,
        Self::Live,
        Self::Water,
        Self::Catch,
    ];

    /// The verb with its preposition: `eat`, `drink from`.
    #[must_use]
    pub fn verb(self) -> &'static str {
        self.entry().0
    }

    /// A person who needs it: `a hungry person`.
    #[must_use]
    pub fn person(self) -> &'static str {
        self.entry().1
    }

    /// The kinds of objects that serve this use.
    #[must_use]
    pub fn kinds(self) -> &'static [Kind] {
        self.entry().2
    }

    /// The use of a kind. Every kind has exactly one.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Apple | Kind::Banana => Self::Eat,
            Kind::Bottle | Kind::Cup => Self::Drink,
            Kind::Chair => Self::Sit,
            Kind::Umbrella => Self::StayDry,
            Kind::Lamp => Self::Light,
            Kind::Key => Self::Unlock,
            Kind::Ball => Self::Play,
            Kind::Book => Self::Read,
            Kind::Car => Self::Drive,
            Kind::Hat => Self::Wear,
            Kind::Clock => Self::TellTime,
            Kind::Box => Self::Store,
            Kind::House => Self::Live,
            Kind::Flower | Kind::Tree => Self::Water,
            Kind::Fish => Self::Catch,
        }
    }

    fn entry(self) -> (&'static str, &'static str, &'static [Kind]) {
        match self {
            Self::Eat => ("eat", "a hungry person", &[Kind::Apple, Kind::Banana]),
            Self::Drink => ("drink from", "a thirsty person", &[Kind::Bottle, Kind::Cup]),
            Self::Sit => ("sit on", "a tired person", &[Kind::Chair]),
            Self::StayDry => ("stay dry under", "a person in the rain", &[Kind::Umbrella]),
            Self::Light => ("get light from", "a person in the dark", &[Kind::Lamp]),
            Self::Unlock => ("open a door with", "a person at a door", &[Kind::Key]),
            Self::Play => ("play with", "a bored child", &[Kind::Ball]),
            Self::Read => ("read", "a student", &[Kind::Book]),
            Self::Drive => ("drive", "a traveler", &[Kind::Car]),
            Self::Wear => ("wear", "a person in the sun", &[Kind::Hat]),
            Self::TellTime => ("tell the time with", "a person in a hurry", &[Kind::Clock]),
            Self::Store => ("put things in", "a person who moves", &[Kind::Box]),
            Self::Live => ("live in", "a family", &[Kind::House]),
            Self::Water => ("water", "a gardener", &[Kind::Flower, Kind::Tree]),
            Self::Catch => ("catch", "a fisherman", &[Kind::Fish]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_exactly_one_use() {
        for kind in Kind::ALL {
            let fits = |purpose: &Use| purpose.kinds().contains(&kind);
            let uses: Vec<Use> = Use::ALL.into_iter().filter(fits).collect();
            assert_eq!(uses, [Use::of(kind)], "{kind:?}");
        }
    }
}
