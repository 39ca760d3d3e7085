//! The attributes of objects and scenes: kind, color, size, cell of the 3 x 3 grid, and background.

use serde::{Deserialize, Serialize};

/// An everyday object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Apple,
    Ball,
    Banana,
    Book,
    Bottle,
    Box,
    Car,
    Chair,
    Clock,
    Cup,
    Fish,
    Flower,
    Hat,
    House,
    Key,
    Lamp,
    Tree,
    Umbrella,
}

impl Kind {
    /// Every kind; the position in this list is [`Self::index`].
    pub const ALL: [Self; 18] = [
        Self::Apple,
        Self::Ball,
        Self::Banana,
        Self::Book,
        Self::Bottle,
        Self::Box,
        Self::Car,
        Self::Chair,
        Self::Clock,
        Self::Cup,
        Self::Fish,
        Self::Flower,
        Self::Hat,
        Self::House,
        Self::Key,
        Self::Lamp,
        Self::Tree,
        Self::Umbrella,
    ];

    /// The singular noun.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 18] = [
            "apple", "ball", "banana", "book", "bottle", "box", "car", "chair", "clock", "cup",
            "fish", "flower", "hat", "house", "key", "lamp", "tree", "umbrella",
        ];
        NAMES[self.index()]
    }

    /// The plural noun.
    #[must_use]
    pub fn plural(self) -> &'static str {
        const NAMES: [&str; 18] = [
            "apples",
            "balls",
            "bananas",
            "books",
            "bottles",
            "boxes",
            "cars",
            "chairs",
            "clocks",
            "cups",
            "fish",
            "flowers",
            "hats",
            "houses",
            "keys",
            "lamps",
            "trees",
            "umbrellas",
        ];
        NAMES[self.index()]
    }

    /// Position in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// The main color of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Color {
    Red,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
    White,
    Black,
}

impl Color {
    /// Every color; the position in this list is [`Self::index`].
    pub const ALL: [Self; 8] = [
        Self::Red,
        Self::Orange,
        Self::Yellow,
        Self::Green,
        Self::Blue,
        Self::Purple,
        Self::White,
        Self::Black,
    ];

    /// The adjective.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 8] =
            ["red", "orange", "yellow", "green", "blue", "purple", "white", "black"];
        NAMES[self.index()]
    }

    /// Position in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// How large an object is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Size {
    Small,
    Large,
}

impl Size {
    /// Both sizes; the position in this list is [`Self::index`].
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// The adjective.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["small", "large"][self.index()]
    }

    /// Position in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A cell of the 3 x 3 grid, numbered in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cell(u8);

impl Cell {
    /// Every cell in reading order; the position in this list is [`Self::index`].
    pub const ALL: [Self; 9] =
        [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5), Self(6), Self(7), Self(8)];

    /// Position in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Row, 0 at the top.
    #[must_use]
    pub fn row(self) -> u8 {
        self.0 / 3
    }

    /// Column, 0 on the left.
    #[must_use]
    pub fn column(self) -> u8 {
        self.0 % 3
    }

    /// Short name: `top left`.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 9] = [
            "top left",
            "top",
            "top right",
            "left",
            "middle",
            "right",
            "bottom left",
            "bottom",
            "bottom right",
        ];
        NAMES[self.index()]
    }

    /// The name with its preposition: `at the top left`, `on the left`, `in the middle`.
    #[must_use]
    pub fn place(self) -> &'static str {
        const PLACES: [&str; 9] = [
            "at the top left",
            "at the top",
            "at the top right",
            "on the left",
            "in the middle",
            "on the right",
            "at the bottom left",
            "at the bottom",
            "at the bottom right",
        ];
        PLACES[self.index()]
    }
}

/// The surface or landscape behind the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Background {
    GreenField,
    SandyBeach,
    SnowyField,
    NightSky,
    WoodenFloor,
    BlueWall,
    PinkWall,
    GrayRoad,
}

impl Background {
    /// Every background; the position in this list is [`Self::index`].
    pub const ALL: [Self; 8] = [
        Self::GreenField,
        Self::SandyBeach,
        Self::SnowyField,
        Self::NightSky,
        Self::WoodenFloor,
        Self::BlueWall,
        Self::PinkWall,
        Self::GrayRoad,
    ];

    /// The name without an article: `green field`.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 8] = [
            "green field",
            "sandy beach",
            "snowy field",
            "night sky",
            "wooden floor",
            "blue wall",
            "pink wall",
            "gray road",
        ];
        NAMES[self.index()]
    }

    /// Position in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}
