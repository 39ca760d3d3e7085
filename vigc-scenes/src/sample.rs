//! Seeded scenes: the same seed gives the same scene on every machine.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::attributes::{Background, Cell, Color, Kind, Size};
use crate::scene::{Object, Pose, Scene};

/// A part of the unlimited supply of scenes. No two splits draw from the same stream of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Scenes for training.
    Train,
    /// Scenes for choosing settings.
    Val,
    /// Scenes for reported results, with the combinations of kind and color that training scenes have.
    Test,
    /// Scenes for reported results in which every object has a combination of kind and color that no other split
    /// has.
    Unseen,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 4] = [Self::Train, Self::Val, Self::Test, Self::Unseen];

    /// The name of the split's folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
            Self::Unseen => "unseen",
        }
    }

    /// Whether the split's scenes may contain this combination of kind and color.
    #[must_use]
    pub fn allows(self, kind: Kind, color: Color) -> bool {
        is_held_out(kind, color) == (self == Self::Unseen)
    }

    /// The split's random numbers for a seed.
    pub(crate) fn rng(self, seed: u64, stream: RandomStream) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(self as u64 * 16 + stream as u64);
        rng
    }
}

/// What random numbers are used for. Streams are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RandomStream {
    /// The content and the poses of a scene.
    Scene,
    /// The texts of a scene.
    Texts,
}

/// Whether a combination of kind and color is held out: only scenes of [`Split::Unseen`] have it. Every kind has one such
/// color.
#[must_use]
pub fn is_held_out(kind: Kind, color: Color) -> bool {
    color.index() == (3 * kind.index() + 1) % Color::ALL.len()
}

/// The relative frequencies of one to six objects.
const COUNTS: [u32; 6] = [8, 18, 24, 22, 16, 12];
/// The probabilities that an object repeats the kind or the color of an earlier one.
const SAME_KIND: f64 = 0.25;
const SAME_COLOR: f64 = 0.25;
/// The centers of the rows and columns, and how far an object may lie from them.
const CENTERS: [f32; 3] = [0.18, 0.5, 0.82];
const JITTER: f32 = 0.055;
/// The least part of an object's bounding box that nearer boxes leave free.
const MIN_CLEAR: f32 = 0.6;

impl Scene {
    /// The scene for a seed.
    #[must_use]
    pub fn sample(split: Split, seed: u64) -> Self {
        let mut rng = split.rng(seed, RandomStream::Scene);
        let count = weighted(&mut rng, &COUNTS) + 1;
        let mut cells = Cell::ALL;
        cells.shuffle(&mut rng);
        let mut cells = cells[..count].to_vec();
        cells.sort();
        let mut objects: Vec<Object> = Vec::with_capacity(count);
        for &cell in &cells {
            let object = sample_object(&mut rng, split, cell, &objects);
            objects.push(object);
        }
        objects.shuffle(&mut rng);
        for (object, &cell) in objects.iter_mut().zip(&cells) {
            object.cell = cell;
        }
        place(&mut rng, &mut objects);
        let background = Background::ALL[rng.random_range(0..Background::ALL.len())];
        Self { texture: rng.random(), background, objects }
    }
}

fn weighted(rng: &mut ChaCha8Rng, weights: &[u32]) -> usize {
    let mut rest = rng.random_range(0..weights.iter().sum::<u32>());
    for (index, &weight) in weights.iter().enumerate() {
        if rest < weight {
            return index;
        }
        rest -= weight;
    }
    0
}

fn sample_object(rng: &mut ChaCha8Rng, split: Split, cell: Cell, earlier: &[Object]) -> Object {
    let (kind, color) = loop {
        let kind = match earlier.choose(rng).filter(|_| rng.random_bool(SAME_KIND)) {
            Some(object) => object.kind,
            None => Kind::ALL[rng.random_range(0..Kind::ALL.len())],
        };
        let color = match earlier.choose(rng).filter(|_| rng.random_bool(SAME_COLOR)) {
            Some(object) => object.color,
            None => Color::ALL[rng.random_range(0..Color::ALL.len())],
        };
        if split.allows(kind, color) {
            break (kind, color);
        }
    };
    let size = Size::ALL[rng.random_range(0..2usize)];
    Object { kind, color, size, cell, pose: sample_pose(rng, size) }
}

fn sample_pose(rng: &mut ChaCha8Rng, size: Size) -> Pose {
    let radius = match size {
        Size::Small => 0.1,
        Size::Large => 0.182,
    };
    Pose {
        x: 0.0,
        y: 0.0,
        radius: radius * rng.random_range(0.94..1.06),
        aspect: rng.random_range(0.92..1.08),
        rotation: rng.random_range(-12.0..12.0),
        mirrored: rng.random_bool(0.5),
        shade: rng.random_range(0.9..1.08),
        depth: 0,
    }
}

fn place(rng: &mut ChaCha8Rng, objects: &mut [Object]) {
    let mut depths: Vec<u8> = (0..=u8::MAX).take(objects.len()).collect();
    depths.shuffle(rng);
    for (object, depth) in objects.iter_mut().zip(depths) {
        object.pose.depth = depth;
    }
    for attempt in 0..8 {
        let jitter = if attempt == 7 { 0.0 } else { JITTER };
        for object in objects.iter_mut() {
            let mut stray = |center: f32| center + jitter * rng.random_range(-1.0..1.0f32);
            let reach = 0.95 * object.pose.radius;
            object.pose.x =
                stray(CENTERS[usize::from(object.cell.column())]).clamp(reach, 1.0 - reach);
            object.pose.y =
                stray(CENTERS[usize::from(object.cell.row())]).clamp(reach, 1.0 - reach);
        }
        if objects.iter().all(|object| clear_part(object, objects) >= MIN_CLEAR) {
            return;
        }
    }
}

/// A lower bound on the part of an object's bounding box that nearer boxes leave free.
fn clear_part(object: &Object, objects: &[Object]) -> f32 {
    let overlap =
        |a: f32, ra: f32, b: f32, rb: f32| ((a + ra).min(b + rb) - (a - ra).max(b - rb)).max(0.0);
    let own = object.pose;
    let covered: f32 = objects
        .iter()
        .map(|other| other.pose)
        .filter(|other| other.depth > own.depth)
        .map(|other| {
            overlap(own.x, own.radius, other.x, other.radius)
                * overlap(own.y, own.radius, other.y, other.radius)
        })
        .sum();
    1.0 - covered / (4.0 * own.radius * own.radius)
}
