//! The vector drawing of each kind of object: layers of painted paths in a box of -100 to 100.

use std::sync::LazyLock;

use tiny_skia::{Path, PathBuilder, Rect};

use crate::attributes::Kind;

use self::Ink::{Body, Brown, Contrast, Core, Dark, Glass, Gray, Leaf, Light, Tire, White};

/// What a layer is painted with, relative to the main color of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Body,
    Light,
    Dark,
    /// A contrast to the body: dark on bright colors, bright on dark ones.
    Contrast,
    White,
    Gray,
    Brown,
    Leaf,
    Core,
    Glass,
    Tire,
}

/// How a layer's path is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stroke {
    /// Filled, without an outline.
    Fill,
    /// Filled and outlined.
    Solid,
    /// A line of this width.
    Line(f32),
}

/// A layer with its path parsed.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) ink: Ink,
    pub(crate) stroke: Stroke,
    pub(crate) path: Path,
}

/// The layers of a kind, back to front.
pub(crate) fn layers(kind: Kind) -> &'static [Layer] {
    static ALL: LazyLock<Vec<Vec<Layer>>> = LazyLock::new(|| {
        let layer = |&(ink, stroke, path): &Source| Layer { ink, stroke, path: parse_path(path) };
        Kind::ALL.iter().map(|&kind| drawing(kind).iter().map(layer).collect()).collect()
    });
    &ALL[kind.index()]
}

fn drawing(kind: Kind) -> &'static [Source] {
    match kind {
        Kind::Apple => APPLE,
        Kind::Ball => BALL,
        Kind::Banana => BANANA,
        Kind::Book => BOOK,
        Kind::Bottle => BOTTLE,
        Kind::Box => BOX,
        Kind::Car => CAR,
        Kind::Chair => CHAIR,
        Kind::Clock => CLOCK,
        Kind::Cup => CUP,
        Kind::Fish => FISH,
        Kind::Flower => FLOWER,
        Kind::Hat => HAT,
        Kind::House => HOUSE,
        Kind::Key => KEY,
        Kind::Lamp => LAMP,
        Kind::Tree => TREE,
        Kind::Umbrella => UMBRELLA,
    }
}

/// A layer as the constants below write it: its path is text in the notation of [`parse_path`].
type Source = (Ink, Stroke, &'static str);

/// A filled path.
const fn fill(ink: Ink, path: &'static str) -> Source {
    (ink, Stroke::Fill, path)
}

/// A filled and outlined path.
const fn solid(ink: Ink, path: &'static str) -> Source {
    (ink, Stroke::Solid, path)
}

/// A line along a path.
const fn line(ink: Ink, width: f32, path: &'static str) -> Source {
    (ink, Stroke::Line(width), path)
}

/// Reads `M x y`, `L x y`, `Q cx cy x y`, `C ax ay bx by x y`, `Z`, `E cx cy rx ry` (ellipse) and
/// `R x y w h` (rectangle). Coordinates are hundredths.
///
/// # Panics
///
/// Panics on anything else. The drawings are constants, and a test parses all of them.
fn parse_path(text: &str) -> Path {
    let mut words = text.split_ascii_whitespace();
    let mut path = PathBuilder::new();
    while let Some(command) = words.next() {
        let mut numbers = || {
            let word = words.next().expect("a coordinate follows the command");
            word.parse::<f32>().expect("a coordinate is a number") / 100.0
        };
        match command {
            "M" => path.move_to(numbers(), numbers()),
            "L" => path.line_to(numbers(), numbers()),
            "Q" => path.quad_to(numbers(), numbers(), numbers(), numbers()),
            "C" => {
                path.cubic_to(numbers(), numbers(), numbers(), numbers(), numbers(), numbers());
            }
            "E" => path.push_oval(ellipse(numbers(), numbers(), numbers(), numbers())),
            "R" => path.push_rect(rectangle(numbers(), numbers(), numbers(), numbers())),
            "Z" => path.close(),
            other => panic!("`{other}` is not a path command"),
        }
    }
    path.finish().expect("a drawing has no empty path")
}

fn ellipse(x: f32, y: f32, rx: f32, ry: f32) -> Rect {
    Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry).expect("radii are positive")
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Rect {
    Rect::from_xywh(x, y, width, height).expect("sides are positive")
}

const APPLE: &[Source] = &[
    line(Brown, 13.0, "M 0 -42 Q 0 -75 14 -94"),
    solid(
        Body,
        "M 0 -48 C 26 -76 92 -64 88 -2 C 86 56 48 98 22 91 C 8 87 -8 87 -22 91 \
         C -48 98 -86 56 -88 -2 C -92 -64 -26 -76 0 -48 Z",
    ),
    solid(Leaf, "M 8 -60 Q 26 -100 66 -90 Q 52 -52 8 -60 Z"),
    fill(Light, "E -44 -14 13 26"),
];

const BANANA: &[Source] = &[
    solid(Body, "M -84 -58 L -64 -70 C -52 0 14 44 80 12 L 96 32 C 52 96 -80 92 -84 -58 Z"),
    line(Dark, 7.0, "M -73 -54 C -64 40 24 74 84 26"),
    fill(Brown, "M -88 -74 L -68 -86 L -62 -60 L -82 -50 Z"),
    fill(Brown, "M 78 10 L 96 8 L 98 34 L 88 36 Z"),
];

const BOTTLE: &[Source] = &[
    solid(
        Body,
        "M -17 -80 L 17 -80 L 17 -48 C 20 -26 44 -26 44 6 L 44 84 Q 44 96 32 96 L -32 96 \
         Q -44 96 -44 84 L -44 6 C -44 -26 -20 -26 -17 -48 Z",
    ),
    solid(Gray, "R -22 -98 44 20"),
    fill(White, "R -40 28 80 30"),
    fill(Light, "E -28 4 6 16"),
];

const CUP: &[Source] = &[
    solid(Body, "M 44 -32 C 108 -42 108 62 36 52 L 38 28 C 74 34 74 -16 42 -8 Z"),
    solid(Body, "M -80 -58 L -70 78 Q -68 92 -52 92 L 22 92 Q 38 92 40 78 L 50 -58 Z"),
    solid(Dark, "E -15 -58 65 18"),
    fill(Light, "M -62 -24 L -50 -22 L -46 60 L -56 58 Z"),
];

const FISH: &[Source] = &[
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

const BOOK: &[Source] = &[
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

const BOX: &[Source] = &[
    solid(Light, "M -92 -38 L -12 -76 L 92 -50 L 12 -8 Z"),
    solid(Body, "M -92 -38 L 12 -8 L 12 94 L -92 58 Z"),
    solid(Dark, "M 12 -8 L 92 -50 L 92 46 L 12 94 Z"),
    fill(Brown, "M -52 -57 L -36 -64 L 62 -36 L 46 -27 Z"),
    fill(Brown, "M 46 -26 L 60 -34 L 60 -6 L 46 2 Z"),
];

const CHAIR: &[Source] = &[
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

const CLOCK: &[Source] = &[
    line(Dark, 16.0, "M -44 66 L -62 94"),
    line(Dark, 16.0, "M 44 66 L 62 94"),
    solid(Body, "M -84 -44 C -92 -84 -46 -104 -18 -78 Z"),
    solid(Body, "M 84 -44 C 92 -84 46 -104 18 -78 Z"),
    solid(Body, "E 0 8 80 80"),
    solid(White, "E 0 8 50 50"),
    line(Gray, 6.0, "M 0 -38 L 0 -28 M 0 44 L 0 54 M -46 8 L -36 8 M 36 8 L 46 8"),
    line(Contrast, 11.0, "M 0 -24 L 0 8 L 24 22"),
];

const KEY: &[Source] = &[
    solid(
        Body,
        "M -14 -13 L 96 -13 L 96 48 L 74 48 L 74 16 L 60 16 L 60 38 L 38 38 L 38 15 L -14 15 Z",
    ),
    solid(Body, "E -52 0 46 46 E -52 0 20 20"),
    line(Light, 7.0, "M -4 -3 L 84 -3"),
];

const LAMP: &[Source] = &[
    solid(Gray, "R -9 -10 18 86"),
    solid(Dark, "M -50 94 Q -48 66 0 66 Q 48 66 50 94 Z"),
    fill(Core, "E 0 -6 40 20"),
    solid(Body, "M -42 -94 L 42 -94 L 84 0 Q 0 16 -84 0 Z"),
    fill(Light, "M -30 -84 L -12 -84 L -34 -8 L -58 -10 Z"),
];

const BALL: &[Source] = &[
    solid(Body, "E 0 0 92 92"),
    line(Contrast, 7.0, "M 0 -92 L 0 92 M -92 0 L 92 0"),
    line(Contrast, 7.0, "M -64 -66 Q -14 0 -64 66"),
    line(Contrast, 7.0, "M 64 -66 Q 14 0 64 66"),
    fill(Light, "E -30 -58 16 11"),
];

const CAR: &[Source] = &[
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

const FLOWER: &[Source] = &[
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

const HAT: &[Source] = &[
    solid(Body, "E 0 50 98 30"),
    solid(Body, "M -58 48 C -64 -34 -50 -80 0 -80 C 50 -80 64 -34 58 48 Q 0 72 -58 48 Z"),
    fill(Contrast, "M -60 14 Q 0 38 60 14 L 59 42 Q 0 66 -59 42 Z"),
    fill(Light, "E -26 -40 9 20"),
];

const HOUSE: &[Source] = &[
    solid(Brown, "R 36 -86 22 50"),
    solid(Body, "R -72 -14 144 108"),
    solid(Dark, "M -98 -6 L 0 -94 L 98 -6 Z"),
    solid(Brown, "R -18 36 36 58"),
    solid(Glass, "R -58 10 28 28"),
    solid(Glass, "R 30 10 28 28"),
];

const TREE: &[Source] = &[
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

const UMBRELLA: &[Source] = &[
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
