//! Vector drawings as data: layers of painted paths in a box of -100 to 100.

use tiny_skia::{Path, PathBuilder, Rect};

/// What a layer is painted with, relative to the main color of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
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
pub(super) enum Stroke {
    /// Filled, without an outline.
    Fill,
    /// Filled and outlined.
    Solid,
    /// A line of this width.
    Line(f32),
}

/// One painted path of a drawing, in the notation of [`parse_path`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    pub(super) ink: Ink,
    pub(super) stroke: Stroke,
    pub(super) path: &'static str,
}

/// A filled path.
pub(super) const fn fill(ink: Ink, path: &'static str) -> Layer {
    Layer { ink, stroke: Stroke::Fill, path }
}

/// A filled and outlined path.
pub(super) const fn solid(ink: Ink, path: &'static str) -> Layer {
    Layer { ink, stroke: Stroke::Solid, path }
}

/// A line along a path.
pub(super) const fn line(ink: Ink, width: f32, path: &'static str) -> Layer {
    Layer { ink, stroke: Stroke::Line(width), path }
}

/// Reads `M x y`, `L x y`, `Q cx cy x y`, `C ax ay bx by x y`, `Z`, `E cx cy rx ry` (ellipse) and
/// `R x y w h` (rectangle); coordinates are hundredths.
///
/// # Panics
/// On anything else; the drawings are constants and all of them are parsed by a test.
pub(super) fn parse_path(text: &str) -> Path {
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
