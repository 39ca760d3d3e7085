//! Segmentation masks: the object that each pixel and each patch belongs to.

use tiny_skia::Pixmap;

use crate::render::draw_silhouette;
use crate::scene::{Object, Scene};

/// The object that a patch shows, or the background.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatchLabel {
    /// The index of the object that covers most of the patch; `None` if it covers less than a fifth.
    pub object: Option<usize>,
    /// The part of the patch that this object covers; 0 for the background.
    pub coverage: f32,
}

/// The part of a patch that an object must cover to be its label.
const MIN_COVERAGE: f32 = 0.2;
/// The side of the masks that patch labels and visible fractions are computed from.
const MASK_SIDE: u32 = 112;

/// The object that each pixel of a picture belongs to.
#[derive(Debug, Clone)]
pub struct Masks {
    side: usize,
    /// The object's index plus 1; 0 for the background.
    owners: Vec<u8>,
}

impl Masks {
    /// The side of the picture in pixels.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// Whether a pixel shows the object.
    #[must_use]
    pub fn shows(&self, object: usize, x: usize, y: usize) -> bool {
        usize::from(self.owners[y * self.side + x]) == object + 1
    }

    /// The number of pixels that show the object.
    #[must_use]
    pub fn area(&self, object: usize) -> usize {
        self.owners.iter().filter(|&&owner| usize::from(owner) == object + 1).count()
    }

    /// The left, top, width and height of the object's visible part in pixels; `None` if nothing of it is visible.
    #[must_use]
    pub fn bounding_box(&self, object: usize) -> Option<[usize; 4]> {
        let mut bounds: Option<[usize; 4]> = None;
        for y in 0..self.side {
            for x in (0..self.side).filter(|&x| self.shows(object, x, y)) {
                let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
                bounds = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
            }
        }
        bounds.map(|[left, top, right, bottom]| [left, top, right - left + 1, bottom - top + 1])
    }

    /// The mask of an object as COCO's uncompressed run-length encoding: the lengths of alternating runs of other
    /// pixels and of the object's pixels, column by column.
    #[must_use]
    pub fn run_lengths(&self, object: usize) -> Vec<usize> {
        let mut runs = vec![0];
        let mut inside = false;
        for x in 0..self.side {
            for y in 0..self.side {
                if self.shows(object, x, y) != inside {
                    inside = !inside;
                    runs.push(0);
                }
                if let Some(last) = runs.last_mut() {
                    *last += 1;
                }
            }
        }
        runs
    }
}

impl Scene {
    /// The masks of the picture that [`render`](Self::render) draws with the same side.
    ///
    /// # Panics
    ///
    /// Panics if `side` is zero.
    #[must_use]
    pub fn masks(&self, side: u32) -> Masks {
        let order = self.by_depth();
        draw_masks(side, order.iter().map(|&index| (index, &self.objects[index])))
    }

    /// The label of each patch when the picture is cut into `grid` x `grid` patches, row by row.
    ///
    /// # Panics
    ///
    /// Panics if `grid` is zero or does not divide 112.
    #[must_use]
    pub fn patch_labels(&self, grid: usize) -> Vec<PatchLabel> {
        let masks = self.masks(MASK_SIDE);
        assert!(masks.side.is_multiple_of(grid), "{grid} patches do not divide {}", masks.side);
        let patch = masks.side / grid;
        let label = |index: usize| {
            let (top, left) = (index / grid * patch, index % grid * patch);
            let mut counts = vec![0usize; self.objects.len() + 1];
            for y in top..top + patch {
                for x in left..left + patch {
                    counts[usize::from(masks.owners[y * masks.side + x])] += 1;
                }
            }
            dominating(&counts[1..], patch * patch)
        };
        (0..grid * grid).map(label).collect()
    }

    /// The part of each object that no nearer object hides, from 0 to 1.
    #[must_use]
    pub fn visible_fractions(&self) -> Vec<f32> {
        let masks = self.masks(MASK_SIDE);
        let fraction = |(index, object): (usize, &Object)| {
            let alone = draw_masks(MASK_SIDE, [(index, object)].into_iter());
            masks.area(index) as f32 / alone.area(index) as f32
        };
        self.objects.iter().enumerate().map(fraction).collect()
    }
}

fn dominating(counts: &[usize], pixels: usize) -> PatchLabel {
    let mut label = PatchLabel { object: None, coverage: 0.0 };
    for (object, &count) in counts.iter().enumerate() {
        let coverage = count as f32 / pixels as f32;
        if coverage >= MIN_COVERAGE && coverage > label.coverage {
            label = PatchLabel { object: Some(object), coverage };
        }
    }
    label
}

fn draw_masks<'a>(side: u32, objects: impl Iterator<Item = (usize, &'a Object)>) -> Masks {
    let mut pixmap = Pixmap::new(side, side).expect("a picture has a size");
    for (index, object) in objects {
        draw_silhouette(&mut pixmap, object, index as u8 + 1);
    }
    let owners = pixmap.data().chunks_exact(4).map(|pixel| pixel[0]).collect();
    Masks { side: side as usize, owners }
}
