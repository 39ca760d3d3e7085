//! Things to eat and to drink from.

use super::super::shape::Ink::{Body, Brown, Contrast, Dark, Gray, Leaf, Light, White};
use super::super::shape::{Layer, fill, line, solid};

pub(super) const APPLE: &[Layer] = &[
    line(Brown, 13.0, "M 0 -42 Q 0 -75 14 -94"),
    solid(
        Body,
        "M 0 -48 C 26 -76 92 -64 88 -2 C 86 56 48 98 22 91 C 8 87 -8 87 -22 91 \
         C -48 98 -86 56 -88 -2 C -92 -64 -26 -76 0 -48 Z",
    ),
    solid(Leaf, "M 8 -60 Q 26 -100 66 -90 Q 52 -52 8 -60 Z"),
    fill(Light, "E -44 -14 13 26"),
];

pub(super) const BANANA: &[Layer] = &[
    solid(Body, "M -84 -58 L -64 -70 C -52 0 14 44 80 12 L 96 32 C 52 96 -80 92 -84 -58 Z"),
    line(Dark, 7.0, "M -73 -54 C -64 40 24 74 84 26"),
    fill(Brown, "M -88 -74 L -68 -86 L -62 -60 L -82 -50 Z"),
    fill(Brown, "M 78 10 L 96 8 L 98 34 L 88 36 Z"),
];

pub(super) const BOTTLE: &[Layer] = &[
    solid(
        Body,
        "M -17 -80 L 17 -80 L 17 -48 C 20 -26 44 -26 44 6 L 44 84 Q 44 96 32 96 L -32 96 \
         Q -44 96 -44 84 L -44 6 C -44 -26 -20 -26 -17 -48 Z",
    ),
    solid(Gray, "R -22 -98 44 20"),
    fill(White, "R -40 28 80 30"),
    fill(Light, "E -28 4 6 16"),
];

pub(super) const CUP: &[Layer] = &[
    solid(Body, "M 44 -32 C 108 -42 108 62 36 52 L 38 28 C 74 34 74 -16 42 -8 Z"),
    solid(Body, "M -80 -58 L -70 78 Q -68 92 -52 92 L 22 92 Q 38 92 40 78 L 50 -58 Z"),
    solid(Dark, "E -15 -58 65 18"),
    fill(Light, "M -62 -24 L -50 -22 L -46 60 L -56 58 Z"),
];

pub(super) const FISH: &[Layer] = &[
    solid(Body, "M -48 0 L -98 -54 Q -80 0 -98 54 Z"),
    solid(Dark, "M -14 -44 Q 4 -86 42 -74 L 40 -40 Z"),
    solid(Dark, "M 0 44 L 6 78 L 34 42 Z"),
    solid(Body, "M -62 0 C -34 -66 58 -72 96 0 C 58 72 -34 66 -62 0 Z"),
    line(Dark, 8.0, "M 34 -42 Q 16 0 34 42"),
    line(Dark, 6.0, "M -26 -20 Q -14 0 -26 20"),
    line(Dark, 6.0, "M 0 -24 Q 12 0 0 24"),
    fill(White, "E 60 -16 14 14"),
    fill(Contrast, "E 62 -16 7 7"),
];
