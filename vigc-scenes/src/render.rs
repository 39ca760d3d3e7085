//! Rendering of scenes with tiny-skia.

use image::RgbImage;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, Pixmap, Stroke as SkiaStroke, Transform,
};

use crate::attributes::{Background, Color};
use crate::background;
use crate::drawings::{Ink, Stroke, layers};
use crate::scene::{Object, Scene};

/// The width of outlines, relative to an object's radius.
const OUTLINE: f32 = 0.075;

impl Scene {
    /// Renders the scene as a square picture with sides of `side` pixels.
    ///
    /// # Panics
    ///
    /// Panics if `side` is zero.
    #[must_use]
    pub fn render(&self, side: u32) -> RgbImage {
        let mut pixmap = Pixmap::new(side, side).expect("a picture has a size");
        background::paint(self.background, self.texture, side as usize, pixmap.data_mut());
        for object in self.by_depth() {
            draw(
                &mut pixmap,
                &self.objects[object],
                outline(&self.objects[object], self.background),
            );
        }
        let rgb = pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        RgbImage::from_raw(side, side, rgb).expect("the buffer has a pixel for each place")
    }

    /// The indices of the objects, the furthest first.
    pub(crate) fn by_depth(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.objects.len()).collect();
        order.sort_by_key(|&index| self.objects[index].pose.depth);
        order
    }
}

fn draw(pixmap: &mut Pixmap, object: &Object, outline: [u8; 3]) {
    let transform = transform(object, pixmap.width());
    let outline = paint(outline);
    for layer in layers(object.kind) {
        let fill = paint(shade(layer.ink, object));
        match layer.stroke {
            Stroke::Fill => fill_path(pixmap, &layer.path, &fill, transform),
            Stroke::Solid => {
                fill_path(pixmap, &layer.path, &fill, transform);
                stroke_path(pixmap, &layer.path, &outline, OUTLINE, transform);
            }
            Stroke::Line(width) => {
                stroke_path(pixmap, &layer.path, &fill, width / 100.0, transform);
            }
        }
    }
}

/// Paints every pixel that an object covers with one color, without anti-aliasing.
pub(crate) fn draw_silhouette(pixmap: &mut Pixmap, object: &Object, value: u8) {
    let transform = transform(object, pixmap.width());
    let mut flat = paint([value, 0, 0]);
    flat.anti_alias = false;
    for layer in layers(object.kind) {
        match layer.stroke {
            Stroke::Fill | Stroke::Solid => fill_path(pixmap, &layer.path, &flat, transform),
            Stroke::Line(width) => {
                stroke_path(pixmap, &layer.path, &flat, width / 100.0, transform);
            }
        }
        if layer.stroke == Stroke::Solid {
            stroke_path(pixmap, &layer.path, &flat, OUTLINE, transform);
        }
    }
}

fn transform(object: &Object, side: u32) -> Transform {
    let pose = object.pose;
    let side = side as f32;
    let radius = pose.radius * side;
    let mirror = if pose.mirrored { -1.0 } else { 1.0 };
    let stretch = pose.aspect.sqrt();
    Transform::from_translate(pose.x * side, pose.y * side)
        .pre_rotate(pose.rotation)
        .pre_scale(mirror * radius * stretch, radius / stretch)
}

fn fill_path(pixmap: &mut Pixmap, path: &Path, paint: &Paint<'_>, transform: Transform) {
    pixmap.fill_path(path, paint, FillRule::EvenOdd, transform, None);
}

fn stroke_path(
    pixmap: &mut Pixmap,
    path: &Path,
    paint: &Paint<'_>,
    width: f32,
    transform: Transform,
) {
    let stroke = SkiaStroke {
        width,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..SkiaStroke::default()
    };
    pixmap.stroke_path(path, paint, &stroke, transform, None);
}

fn paint(rgb: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(rgb[0], rgb[1], rgb[2], 255);
    paint
}

fn rgb(color: Color) -> [u8; 3] {
    match color {
        Color::Red => [216, 36, 40],
        Color::Orange => [246, 132, 24],
        Color::Yellow => [252, 218, 48],
        Color::Green => [36, 150, 62],
        Color::Blue => [36, 84, 214],
        Color::Purple => [142, 58, 186],
        Color::White => [246, 246, 244],
        Color::Black => [38, 38, 44],
    }
}

/// A bright outline for black objects and for the night sky, a dark one otherwise, so that every object stands out.
fn outline(object: &Object, background: Background) -> [u8; 3] {
    let bright = object.color == Color::Black || background == Background::NightSky;
    if bright && object.color != Color::White { [222, 222, 222] } else { [26, 24, 32] }
}

fn shade(ink: Ink, object: &Object) -> [u8; 3] {
    let color = object.color;
    let body = rgb(color).map(|v| (f32::from(v) * object.pose.shade).min(255.0) as u8);
    let mix = |to: u8, part: f32| {
        body.map(|v| (f32::from(v) + (f32::from(to) - f32::from(v)) * part) as u8)
    };
    match (ink, color) {
        (Ink::Body, _) => body,
        (Ink::Light, Color::Black) => mix(255, 0.3),
        (Ink::Light, _) => mix(255, 0.42),
        (Ink::Dark, Color::Black) => mix(255, 0.2),
        (Ink::Dark, Color::White) => mix(0, 0.16),
        (Ink::Dark, _) => mix(0, 0.24),
        (Ink::Contrast, Color::Black) => [225, 225, 225],
        (Ink::Contrast, _) => [30, 28, 36],
        (Ink::White, Color::White) => [205, 208, 214],
        (Ink::White, _) => [246, 246, 240],
        (Ink::Gray, _) => [150, 152, 158],
        (Ink::Brown, _) => [124, 84, 48],
        (Ink::Leaf, Color::Green) => [120, 176, 60],
        (Ink::Leaf, _) => [70, 140, 64],
        (Ink::Core, Color::Yellow | Color::Orange) => [136, 84, 40],
        (Ink::Core, _) => [255, 214, 80],
        (Ink::Glass, _) => [196, 226, 240],
        (Ink::Tire, _) => [44, 44, 48],
    }
}
