//! What is learned from: rows of text about images whose features were computed once.

use std::path::Path;

use super::mixtures::Sources;
use crate::data::scenes::SceneRange;
use crate::data::{DataSection, InstructionRow, Mixture};
use crate::scenes::Split;
use crate::train::error::{Result, TrainError};
use crate::train::features::{Encoder, ImageFeatures};
use crate::train::progress::Progress;
use crate::train::recipe::Recipe;
use vigc_core::random::Draw;

/// Rows about images whose features are known.
#[derive(Debug)]
struct Material {
    mixture: Mixture,
    features: ImageFeatures,
    batch: usize,
}

/// What is learned from, and what is only measured on.
#[derive(Debug)]
pub(super) struct Lessons {
    seen: Material,
    /// None where there are no scenes, and so nothing that is not learned from.
    unseen: Option<Material>,
    samples: usize,
}

/// What puts a batch together.
pub(super) trait Collate<B>:
    Fn(&[InstructionRow], &ImageFeatures, &str) -> Result<B>
{
}

impl<B, F: Fn(&[InstructionRow], &ImageFeatures, &str) -> Result<B>> Collate<B> for F {}

impl Material {
    /// A batch of the data set that the draw chooses, or of the given one.
    fn batch<B>(&self, draw: Draw, part: Option<usize>, collate: &impl Collate<B>) -> Result<B> {
        let part = part.unwrap_or_else(|| self.mixture.choose(draw));
        let rows = self.mixture.rows_of(part, draw, self.batch)?;
        collate(&rows, &self.features, self.mixture.part(part).name())
    }
}

impl Lessons {
    /// Opens what a recipe names, scenes drawn for an encoder that looks at `side` pixels; caches the
    /// features of what is learned from in its output folder.
    pub(super) fn open(
        recipe: &Recipe,
        side: usize,
        encoder: &Encoder<'_>,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let samples = recipe.run.validate_samples;
        let seen = Sources::open(&recipe.data, side)?;
        let held_out = held_out(&recipe.data, samples);
        let unseen = held_out.map(|data| Sources::open(&data, side)).transpose()?;
        let cache = recipe.output.join("features");
        let mut material = |sources: Sources, cache: Option<&Path>| {
            let features = ImageFeatures::of(&sources.images, encoder, cache, progress)?;
            Ok::<_, TrainError>(Material {
                mixture: sources.mixture,
                features,
                batch: recipe.optimisation.batch,
            })
        };
        let seen = material(seen, Some(&cache))?;
        let unseen = unseen.map(|sources| material(sources, None)).transpose()?;
        Ok(Self { seen, unseen, samples })
    }

    /// The batch of a micro-step, put together of rows, their images' features and the name of their task.
    pub(super) fn batch<B>(&self, draw: Draw, collate: impl Collate<B>) -> Result<B> {
        self.seen.batch(draw, None, &collate)
    }

    /// Held-out batches, with every task in turn, so that each is measured.
    pub(super) fn held_out<B>(&self, collate: impl Collate<B>) -> Result<Vec<B>> {
        let material = self.unseen.as_ref().unwrap_or(&self.seen);
        let parts = material.mixture.len();
        let batches = self.samples.div_ceil(material.batch).max(parts);
        let batch = |at: usize| {
            let draw = Draw { seed: 0, micro_step: at as u64 };
            material.batch(draw, Some(at % parts), &collate)
        };
        (0..batches).map(batch).collect()
    }
}

/// The data of a recipe over scenes that are never trained on, if it has scenes.
fn held_out(data: &DataSection, samples: usize) -> Option<DataSection> {
    data.scenes?;
    let scenes = SceneRange { split: Split::Val, first: 0, count: samples.max(1) };
    Some(DataSection { scenes: Some(scenes), files: Vec::new(), ..data.clone() })
}
