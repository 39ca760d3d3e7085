//! What is learned from: rows of text about images whose features were computed once.

use std::path::Path;

use super::mixtures::Sources;
use crate::data::scenes::SceneRange;
use crate::data::{DataSection, InstructionRow, Mixture};
use crate::draw::Draw;
use crate::scenes::Split;
use crate::train::error::{Result, TrainError};
use crate::train::features::{Encoder, ImageFeatures};
use crate::train::progress::Progress;
use crate::train::recipe::Recipe;

/// Rows about images whose features are known.
#[derive(Debug)]
pub(super) struct Material {
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

impl Material {
    /// A batch of the data set that the draw chooses, or of the given one, and its name.
    fn rows(&self, draw: Draw, part: Option<usize>) -> Result<(Vec<InstructionRow>, &str)> {
        let part = part.unwrap_or_else(|| self.mixture.choose(draw));
        let rows = self.mixture.rows_of(part, draw, self.batch)?;
        Ok((rows, self.mixture.part(part).name()))
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

    /// Features of what is learned from.
    pub(super) fn features(&self) -> &ImageFeatures {
        &self.seen.features
    }

    /// Features of what is measured on.
    pub(super) fn measured_features(&self) -> &ImageFeatures {
        &self.held_out().features
    }

    fn held_out(&self) -> &Material {
        self.unseen.as_ref().unwrap_or(&self.seen)
    }

    /// The rows of a micro-step and their task.
    pub(super) fn draw(&self, draw: Draw) -> Result<(Vec<InstructionRow>, &str)> {
        self.seen.rows(draw, None)
    }

    /// Held-out batches, with every task in turn, so that each is measured.
    pub(super) fn measured(
        &self,
    ) -> impl Iterator<Item = Result<(Vec<InstructionRow>, &str)>> + '_ {
        let material = self.held_out();
        let parts = material.mixture.len();
        let batches = self.samples.div_ceil(material.batch).max(parts);
        (0..batches)
            .map(move |at| material.rows(Draw { seed: 0, micro_step: at as u64 }, Some(at % parts)))
    }
}

/// The data of a recipe over scenes that are never trained on, if it has scenes.
fn held_out(data: &DataSection, samples: usize) -> Option<DataSection> {
    data.scenes?;
    let scenes = SceneRange { split: Split::Val, first: 0, count: samples.max(1) };
    Some(DataSection { scenes: Some(scenes), files: Vec::new(), ..data.clone() })
}
