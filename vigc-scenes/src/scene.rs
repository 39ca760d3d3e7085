//! A picture as data: a background and up to six objects.

use serde::{Deserialize, Serialize};

use super::{Background, Cell, Color, Kind, Relation, Size};

/// One object and how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its main color.
    pub color: Color,
    /// How large it is.
    pub size: Size,
    /// The cell that it stands in; no other object of the scene stands there.
    pub cell: Cell,
    /// How the drawing varies.
    pub pose: Pose,
}

/// The variation of a drawing, in fractions of the picture's side where it is a length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Horizontal center.
    pub x: f32,
    /// Vertical center.
    pub y: f32,
    /// Half of the extent.
    pub radius: f32,
    /// Width over height, around one.
    pub aspect: f32,
    /// Clockwise rotation in degrees.
    pub rotation: f32,
    /// Drawn as in a mirror.
    pub mirrored: bool,
    /// Brightness of the colors, around one.
    pub shade: f32,
    /// Painting order: greater is nearer.
    pub depth: u8,
}

/// A picture with everything that is true about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The seed of the background's texture.
    pub texture: u64,
    /// What the objects stand in front of.
    pub background: Background,
    /// One to six objects in reading order of their cells.
    pub objects: Vec<Object>,
}

impl Scene {
    /// The object in a cell.
    #[must_use]
    pub fn at(&self, cell: Cell) -> Option<usize> {
        self.objects.iter().position(|object| object.cell == cell)
    }

    /// Indices of the objects that stand in `relation` to `object`, in reading order.
    ///
    /// # Panics
    /// If there is no such object.
    #[must_use]
    pub fn related(&self, relation: Relation, object: usize) -> Vec<usize> {
        let anchor = self.objects[object].cell;
        self.indices(|other| relation.holds(other.cell, anchor))
    }

    /// Indices of the objects for which `keep` holds, in reading order.
    pub(super) fn indices(&self, keep: impl Fn(&Object) -> bool) -> Vec<usize> {
        (0..self.objects.len()).filter(|&index| keep(&self.objects[index])).collect()
    }
}
