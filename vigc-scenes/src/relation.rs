//! Spatial relations between cells, as the texts use them.

use serde::{Deserialize, Serialize};

use crate::attributes::Cell;

/// Where one cell lies relative to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// In a column further to the left, in any row.
    LeftOf,
    /// In a column further to the right, in any row.
    RightOf,
    /// In a higher row, in any column.
    Above,
    /// In a lower row, in any column.
    Below,
    /// In the same row or column, one step away.
    NextTo,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 5] =
        [Self::LeftOf, Self::RightOf, Self::Above, Self::Below, Self::NextTo];

    /// The relation in words: `to the left of`.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::LeftOf => "to the left of",
            Self::RightOf => "to the right of",
            Self::Above => "above",
            Self::Below => "below",
            Self::NextTo => "next to",
        }
    }

    /// The relation with its two sides exchanged: right of for left of.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Self::LeftOf => Self::RightOf,
            Self::RightOf => Self::LeftOf,
            Self::Above => Self::Below,
            Self::Below => Self::Above,
            Self::NextTo => Self::NextTo,
        }
    }

    /// Whether `one` stands in this relation to `other`.
    #[must_use]
    pub fn holds(self, one: Cell, other: Cell) -> bool {
        match self {
            Self::LeftOf => one.column() < other.column(),
            Self::RightOf => one.column() > other.column(),
            Self::Above => one.row() < other.row(),
            Self::Below => one.row() > other.row(),
            Self::NextTo => {
                one.row().abs_diff(other.row()) + one.column().abs_diff(other.column()) == 1
            }
        }
    }
}

impl Cell {
    /// Whether the cell is the middle one of three in a row, column or diagonal, with `one` and `other` at the ends.
    #[must_use]
    pub fn is_between(self, one: Self, other: Self) -> bool {
        one != other
            && 2 * self.row() == one.row() + other.row()
            && 2 * self.column() == one.column() + other.column()
    }
}

/// The object that lies further in one direction than all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extreme {
    /// Furthest to the left.
    Left,
    /// Furthest to the right.
    Right,
    /// Highest.
    Top,
    /// Lowest.
    Bottom,
}

impl Extreme {
    /// Every extreme.
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Top, Self::Bottom];

    /// The superlative: `furthest to the left`, `highest`.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Left => "furthest to the left",
            Self::Right => "furthest to the right",
            Self::Top => "highest",
            Self::Bottom => "lowest",
        }
    }

    /// The relation in which this object stands to every other one.
    #[must_use]
    pub fn relation(self) -> Relation {
        match self {
            Self::Left => Relation::LeftOf,
            Self::Right => Relation::RightOf,
            Self::Top => Relation::Above,
            Self::Bottom => Relation::Below,
        }
    }
}
