//! A picture as data: a background and up to six objects.

use serde::{Deserialize, Serialize};

use crate::attributes::{Background, Cell, Color, Kind, Size};
use crate::relation::Relation;

/// An object and how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The kind of object.
    pub kind: Kind,
    /// The main color.
    pub color: Color,
    /// The size.
    pub size: Size,
    /// The cell of the grid. A cell holds at most one object.
    pub cell: Cell,
    /// How this drawing of the kind varies.
    pub pose: Pose,
}

/// How one drawing of a kind differs from another. Lengths are fractions of the picture's side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// The horizontal center.
    pub x: f32,
    /// The vertical center.
    pub y: f32,
    /// Half of the object's width and height.
    pub radius: f32,
    /// Width divided by height, around 1.
    pub aspect: f32,
    /// Clockwise rotation in degrees.
    pub rotation: f32,
    /// Whether the drawing is flipped horizontally.
    pub mirrored: bool,
    /// A factor on the brightness of the colors, around 1.
    pub shade: f32,
    /// The painting order: an object of greater depth is painted later and hides others.
    pub depth: u8,
}

/// A background and one to six objects: everything that a picture shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The seed of the background's texture.
    pub texture: u64,
    /// The background.
    pub background: Background,
    /// One to six objects, in the reading order of their cells.
    pub objects: Vec<Object>,
}

impl Scene {
    /// The index of the object in a cell.
    #[must_use]
    pub fn at(&self, cell: Cell) -> Option<usize> {
        self.objects.iter().position(|object| object.cell == cell)
    }

    /// The indices of the objects that stand in `relation` to `object`, in reading order.
    ///
    /// # Panics
    ///
    /// Panics if there is no object with this index.
    #[must_use]
    pub fn related(&self, relation: Relation, object: usize) -> Vec<usize> {
        let anchor = self.objects[object].cell;
        self.indices(|other| relation.holds(other.cell, anchor))
    }

    /// The indices of the objects for which `keep` is true, in reading order.
    pub(crate) fn indices(&self, keep: impl Fn(&Object) -> bool) -> Vec<usize> {
        (0..self.objects.len()).filter(|&index| keep(&self.objects[index])).collect()
    }
}
