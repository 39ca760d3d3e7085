//! Spatial relations between cells, as the texts use them.

use serde::{Deserialize, Serialize};

use super::Cell;

/// How one cell lies to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// In a column further to the left, in whatever row.
    LeftOf,
    /// In a column further to the right, in whatever row.
    RightOf,
    /// In a higher row, in whatever column.
    Above,
    /// In a lower row, in whatever column.
    Below,
    /// One step away in the same row or column.
    NextTo,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 5] =
        [Self::LeftOf, Self::RightOf, Self::Above, Self::Below, Self::NextTo];

    /// The words between the two objects: `to the left of`.
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

    /// The relation seen from the other object.
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

    /// Whether `one` lies in this relation to `other`.
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

/// Whether `middle` lies on the straight line (row, column or diagonal) between two cells.
#[must_use]
pub fn between(middle: Cell, one: Cell, other: Cell) -> bool {
    one != other
        && 2 * middle.row() == one.row() + other.row()
        && 2 * middle.column() == one.column() + other.column()
}

/// The far end of the picture in one direction.
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

    /// The predicate: `furthest to the left`, `highest`.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Left => "furthest to the left",
            Self::Right => "furthest to the right",
            Self::Top => "highest",
            Self::Bottom => "lowest",
        }
    }

    /// The relation that the extreme object has to every other.
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
