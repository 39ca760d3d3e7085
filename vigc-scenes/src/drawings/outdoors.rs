//! Things outside of a house, and what one takes along.

use super::super::shape::Ink::{
    Body, Brown, Contrast, Core, Dark, Glass, Gray, Leaf, Light, Tire, White,
};
use super::super::shape::{Layer, fill, line, solid};

pub(super) const BALL: &[Layer] = &[
    solid(Body, "E 0 0 92 92"),
    line(Contrast, 7.0, "M 0 -92 L 0 92 M -92 0 L 92 0"),
    line(Contrast, 7.0, "M -64 -66 Q -14 0 -64 66"),
    line(Contrast, 7.0, "M 64 -66 Q 14 0 64 66"),
    fill(Light, "E -30 -58 16 11"),
];

pub(super) const CAR: &[Layer] = &[
    solid(
        Body,
        "M -98 22 C -98 -8 -86 -14 -62 -18 L -42 -58 Q -36 -68 -24 -68 L 26 -68 Q 36 -68 43 -58 \
         L 66 -18 Q 96 -14 98 14 L 98 46 L -98 46 Z",
    ),
    fill(Glass, "M -48 -18 L -31 -52 L -5 -52 L -5 -18 Z"),
    fill(Glass, "M 7 -18 L 7 -52 L 28 -52 L 48 -18 Z"),
    solid(Tire, "E -54 46 25 25"),
    solid(Tire, "E 54 46 25 25"),
    fill(Gray, "E -54 46 11 11"),
    fill(Gray, "E 54 46 11 11"),
    fill(Core, "E 88 10 8 9"),
    line(Dark, 6.0, "M 1 -14 L 1 36"),
];

pub(super) const FLOWER: &[Layer] = &[
    line(Leaf, 13.0, "M 0 10 Q 6 50 0 98"),
    solid(Leaf, "M 2 74 Q 18 34 62 40 Q 54 78 2 84 Z"),
    solid(Body, "E 46 -30 30 30"),
    solid(Body, "E 23 10 30 30"),
    solid(Body, "E -23 10 30 30"),
    solid(Body, "E -46 -30 30 30"),
    solid(Body, "E -23 -68 30 30"),
    solid(Body, "E 23 -68 30 30"),
    fill(Body, "E 0 -30 40 40"),
    solid(Core, "E 0 -30 21 21"),
];

pub(super) const HAT: &[Layer] = &[
    solid(Body, "E 0 50 98 30"),
    solid(Body, "M -58 48 C -64 -34 -50 -80 0 -80 C 50 -80 64 -34 58 48 Q 0 72 -58 48 Z"),
    fill(Contrast, "M -60 14 Q 0 38 60 14 L 59 42 Q 0 66 -59 42 Z"),
    fill(Light, "E -26 -40 9 20"),
];

pub(super) const HOUSE: &[Layer] = &[
    solid(Brown, "R 36 -86 22 50"),
    solid(Body, "R -72 -14 144 108"),
    solid(Dark, "M -98 -6 L 0 -94 L 98 -6 Z"),
    solid(Brown, "R -18 36 36 58"),
    solid(Glass, "R -58 10 28 28"),
    solid(Glass, "R 30 10 28 28"),
];

pub(super) const TREE: &[Layer] = &[
    solid(Brown, "M -15 20 L 15 20 L 22 97 L -22 97 Z"),
    solid(
        Body,
        "M -44 42 C -98 46 -108 -12 -66 -24 C -80 -78 -22 -106 4 -80 C 34 -108 90 -74 68 -28 \
         C 108 -14 98 48 44 42 Q 0 58 -44 42 Z",
    ),
    line(Dark, 7.0, "M -48 -4 Q -36 12 -22 0"),
    line(Dark, 7.0, "M 18 -34 Q 30 -18 44 -30"),
    line(Light, 8.0, "M -40 -46 Q -28 -66 -10 -62"),
    line(Dark, 7.0, "M 12 18 Q 24 32 38 20"),
];

pub(super) const UMBRELLA: &[Layer] = &[
    line(Gray, 12.0, "M 0 -96 L 0 70 Q 0 92 19 92 Q 36 92 36 70"),
    solid(
        Body,
        "M -98 8 C -92 -108 92 -108 98 8 Q 82 -14 65 6 Q 49 -14 33 6 Q 16 -14 0 6 Q -16 -14 -33 6 \
         Q -49 -14 -65 6 Q -82 -14 -98 8 Z",
    ),
    line(Dark, 7.0, "M 0 -80 Q -40 -50 -33 4"),
    line(Dark, 7.0, "M 0 -80 Q 40 -50 33 4"),
    fill(White, "E -52 -38 7 13"),
];
