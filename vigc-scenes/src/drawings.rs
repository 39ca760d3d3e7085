//! The drawing of each kind of object.

mod food;
mod household;
mod outdoors;

use std::sync::LazyLock;

use tiny_skia::Path;

use super::Kind;
use super::shape::{Ink, Layer, Stroke, parse_path};

/// A layer with its path parsed.
#[derive(Debug, Clone)]
pub(super) struct Painted {
    pub(super) ink: Ink,
    pub(super) stroke: Stroke,
    pub(super) path: Path,
}

/// The layers of a kind, back to front.
pub(super) fn layers(kind: Kind) -> &'static [Painted] {
    static ALL: LazyLock<Vec<Vec<Painted>>> = LazyLock::new(|| {
        let parse = |l: &Layer| Painted { ink: l.ink, stroke: l.stroke, path: parse_path(l.path) };
        Kind::ALL.iter().map(|&kind| drawing(kind).iter().map(parse).collect()).collect()
    });
    &ALL[kind.index()]
}

fn drawing(kind: Kind) -> &'static [Layer] {
    match kind {
        Kind::Apple => food::APPLE,
        Kind::Ball => outdoors::BALL,
        Kind::Banana => food::BANANA,
        Kind::Book => household::BOOK,
        Kind::Bottle => food::BOTTLE,
        Kind::Box => household::BOX,
        Kind::Car => outdoors::CAR,
        Kind::Chair => household::CHAIR,
        Kind::Clock => household::CLOCK,
        Kind::Cup => food::CUP,
        Kind::Fish => food::FISH,
        Kind::Flower => outdoors::FLOWER,
        Kind::Hat => outdoors::HAT,
        Kind::House => outdoors::HOUSE,
        Kind::Key => household::KEY,
        Kind::Lamp => household::LAMP,
        Kind::Tree => outdoors::TREE,
        Kind::Umbrella => outdoors::UMBRELLA,
    }
}
