//! Things in a house.

use super::super::shape::Ink::{Body, Brown, Contrast, Core, Dark, Gray, Light, White};
use super::super::shape::{Layer, fill, line, solid};

pub(super) const BOOK: &[Layer] = &[
    solid(
        Dark,
        "M -64 -88 L 72 -88 L 72 94 L -64 94 Q -82 94 -82 76 L -82 -70 Q -82 -88 -64 -88 Z",
    ),
    solid(White, "M -64 66 L 66 66 L 66 88 L -64 88 Q -76 88 -76 77 Q -76 66 -64 66 Z"),
    line(Gray, 4.0, "M -66 77 L 66 77"),
    solid(
        Body,
        "M -64 -92 L 72 -92 L 72 64 L -64 64 Q -82 64 -82 78 L -82 -74 Q -82 -92 -64 -92 Z",
    ),
    line(Dark, 10.0, "M -56 -90 L -56 62"),
    fill(White, "R -30 -60 74 16"),
    fill(White, "R -30 -32 48 12"),
];

pub(super) const BOX: &[Layer] = &[
    solid(Light, "M -92 -38 L -12 -76 L 92 -50 L 12 -8 Z"),
    solid(Body, "M -92 -38 L 12 -8 L 12 94 L -92 58 Z"),
    solid(Dark, "M 12 -8 L 92 -50 L 92 46 L 12 94 Z"),
    fill(Brown, "M -52 -57 L -36 -64 L 62 -36 L 46 -27 Z"),
    fill(Brown, "M 46 -26 L 60 -34 L 60 -6 L 46 2 Z"),
];

pub(super) const CHAIR: &[Layer] = &[
    solid(Dark, "R -46 20 15 56"),
    solid(Dark, "R 31 20 15 56"),
    solid(
        Body,
        "M -60 -96 L 60 -96 L 60 0 L -60 0 Z M -40 -66 L -40 -18 L -12 -18 L -12 -66 Z \
         M 12 -66 L 12 -18 L 40 -18 L 40 -66 Z",
    ),
    solid(Body, "M -58 -4 L 58 -4 L 78 28 L -78 28 Z"),
    solid(Body, "R -78 28 20 68"),
    solid(Body, "R 58 28 20 68"),
];

pub(super) const CLOCK: &[Layer] = &[
    line(Dark, 16.0, "M -44 66 L -62 94"),
    line(Dark, 16.0, "M 44 66 L 62 94"),
    solid(Body, "M -84 -44 C -92 -84 -46 -104 -18 -78 Z"),
    solid(Body, "M 84 -44 C 92 -84 46 -104 18 -78 Z"),
    solid(Body, "E 0 8 80 80"),
    solid(White, "E 0 8 50 50"),
    line(Gray, 6.0, "M 0 -38 L 0 -28 M 0 44 L 0 54 M -46 8 L -36 8 M 36 8 L 46 8"),
    line(Contrast, 11.0, "M 0 -24 L 0 8 L 24 22"),
];

pub(super) const KEY: &[Layer] = &[
    solid(
        Body,
        "M -14 -13 L 96 -13 L 96 48 L 74 48 L 74 16 L 60 16 L 60 38 L 38 38 L 38 15 L -14 15 Z",
    ),
    solid(Body, "E -52 0 46 46 E -52 0 20 20"),
    line(Light, 7.0, "M -4 -3 L 84 -3"),
];

pub(super) const LAMP: &[Layer] = &[
    solid(Gray, "R -9 -10 18 86"),
    solid(Dark, "M -50 94 Q -48 66 0 66 Q 48 66 50 94 Z"),
    fill(Core, "E 0 -6 40 20"),
    solid(Body, "M -42 -94 L 42 -94 L 84 0 Q 0 16 -84 0 Z"),
    fill(Light, "M -30 -84 L -12 -84 L -34 -8 L -58 -10 Z"),
];
