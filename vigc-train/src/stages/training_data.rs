//! The training data of a recipe: rows of text about images whose features are computed once.

use std::path::Path;
use std::sync::Arc;

use vigc_core::random::Draw;
use vigc_scenes::{Dialogue, Split};

use crate::data::scenes::{SceneImages, SceneRange, SceneRows, SceneTask};
use crate::data::{
    AnnotatedImages, AnnotatedRows, AnnotationFile, ImageSource, InstructionDataset,
    InstructionRow, JoinedImages, Mixture,
};
use crate::error::{Result, TrainError};
use crate::features::{Encoder, ImageFeatures};
use crate::listener::RunListener;
use crate::recipe::{DataSection, Recipe};

/// The rows of a recipe with the features of their images, for training and for validation.
#[derive(Debug)]
pub(super) struct TrainingData {
    training: EncodedRows,
    /// Rows about held-out scenes; `None` without scenes, in which case validation uses training rows.
    validation: Option<EncodedRows>,
    validation_samples: usize,
}

/// Rows whose images are encoded.
#[derive(Debug)]
struct EncodedRows {
    mixture: Mixture,
    features: ImageFeatures,
    batch: usize,
}

/// A function that makes a batch of rows, the features of their images, and the name of their task.
pub(super) trait Collate<B>:
    Fn(&[InstructionRow], &ImageFeatures, &str) -> Result<B>
{
}

impl<B, F: Fn(&[InstructionRow], &ImageFeatures, &str) -> Result<B>> Collate<B> for F {}

impl TrainingData {
    /// Opens the data of a recipe and encodes its images. Scenes are rendered for an encoder whose input has `side` pixels.
    /// The features of training images are cached in the recipe's output folder.
    pub(super) fn open(
        recipe: &Recipe,
        side: usize,
        encoder: &Encoder<'_>,
        listener: &mut dyn RunListener,
    ) -> Result<Self> {
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let validation_samples = recipe.run.validate_samples;
        let training = Sources::open(&recipe.data, side)?;
        let held_out = held_out(&recipe.data, validation_samples);
        let validation = held_out.map(|data| Sources::open(&data, side)).transpose()?;
        let cache = recipe.output.join("features");
        let mut encode = |sources: Sources, cache: Option<&Path>| {
            let features = ImageFeatures::encode(&sources.images, encoder, cache, listener)?;
            let batch = recipe.optimization.batch;
            Ok::<_, TrainError>(EncodedRows { mixture: sources.mixture, features, batch })
        };
        let training = encode(training, Some(&cache))?;
        let validation = validation.map(|sources| encode(sources, None)).transpose()?;
        Ok(Self { training, validation, validation_samples })
    }

    /// The batch of a micro-step.
    pub(super) fn batch<B>(&self, draw: Draw, collate: impl Collate<B>) -> Result<B> {
        self.training.batch(draw, None, &collate)
    }

    /// The batches for validation. Tasks take turns, so that each of them is measured.
    pub(super) fn held_out<B>(&self, collate: impl Collate<B>) -> Result<Vec<B>> {
        let rows = self.validation.as_ref().unwrap_or(&self.training);
        let tasks = rows.mixture.len();
        let batches = self.validation_samples.div_ceil(rows.batch).max(tasks);
        let batch = |at: usize| {
            let draw = Draw { seed: 0, micro_step: at as u64 };
            rows.batch(draw, Some(at % tasks), &collate)
        };
        (0..batches).map(batch).collect()
    }
}

impl EncodedRows {
    /// A batch of the given data set, or of the one that the draw chooses.
    fn batch<B>(&self, draw: Draw, part: Option<usize>, collate: &impl Collate<B>) -> Result<B> {
        let part = part.unwrap_or_else(|| self.mixture.choose(draw));
        let rows = self.mixture.rows_of(part, draw, self.batch)?;
        collate(&rows, &self.features, self.mixture.part(part).name())
    }
}

/// The data of a recipe with held-out scenes instead of its own; `None` if it has no scenes.
fn held_out(data: &DataSection, samples: usize) -> Option<DataSection> {
    data.scenes?;
    let scenes = SceneRange { split: Split::Val, first: 0, count: samples.max(1) };
    Some(DataSection { scenes: Some(scenes), files: Vec::new(), ..data.clone() })
}

/// The data sets of a recipe and their images: the tasks of its scenes in the order of their names, then its files.
struct Sources {
    mixture: Mixture,
    images: JoinedImages,
}

impl Sources {
    /// Opens the data sets of a recipe. Scenes are rendered for an encoder whose input has `side` pixels.
    fn open(data: &DataSection, side: u32) -> Result<Self> {
        let mut parts = scene_parts(data)?;
        let mut images: Vec<Box<dyn ImageSource>> = Vec::new();
        if let Some(range) = data.scenes {
            images.push(Box::new(SceneImages { range, side }));
        }
        for (files, rows) in annotated(&data.files, images.iter().map(|source| source.len()).sum())?
        {
            images.push(Box::new(AnnotatedImages::clone(&rows[0].images)));
            let rows = rows.into_iter().map(|rows| Box::new(rows) as Box<dyn InstructionDataset>);
            parts.extend(rows.zip(files.iter().map(|file| file.ratio)));
        }
        Ok(Self { mixture: Mixture::new(parts)?, images: JoinedImages::new(images) })
    }
}

/// Annotation files whose images are in the same folder, with their rows.
type OfFolder<'a> = (Vec<&'a AnnotationFile>, Vec<AnnotatedRows>);

/// The rows of annotation files, grouped by the folders of their images, so that an image in several files is encoded once.
fn annotated<'a>(files: &'a [AnnotationFile], mut first_image: usize) -> Result<Vec<OfFolder<'a>>> {
    let mut folders: Vec<Vec<&'a AnnotationFile>> = Vec::new();
    for file in files {
        match folders.iter_mut().find(|folder| folder[0].images == file.images) {
            Some(folder) => folder.push(file),
            None => folders.push(vec![file]),
        }
    }
    let open = |files: Vec<&'a AnnotationFile>| {
        let opened = files.iter().map(|file| file.open()).collect::<Result<Vec<_>, _>>()?;
        let images = Arc::new(AnnotatedImages::new(&files[0].images, &opened));
        let rows = files.iter().zip(opened);
        let rows = rows.map(|(file, rows)| file.rows(rows, &images, first_image)).collect();
        first_image += images.len();
        Ok((files, rows))
    };
    folders.into_iter().map(open).collect()
}

/// The mixture of the tasks about a recipe's scenes, and the scenes.
pub(super) fn scene_mixture(data: &DataSection) -> Result<(Mixture, SceneRange)> {
    let range = Recipe::need("data.scenes", data.scenes.as_ref())?;
    Ok((Mixture::new(scene_parts(data)?)?, range))
}

type Part = (Box<dyn InstructionDataset>, f64);

fn scene_parts(data: &DataSection) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let Some(range) = data.scenes else { return Ok(parts) };
    for (name, &ratio) in &data.ratios {
        let task = tasks().find(|task| task.name() == name).ok_or(TrainError::Setting {
            key: "data.ratios",
            value: name.clone(),
            expected: "`caption`, `vqa`, or `vig_`, `vic_` or `continue_` with `conversation`, `detail` or `reasoning`",
        })?;
        parts.push((Box::new(SceneRows { range, task }), ratio));
    }
    Ok(parts)
}

/// The tasks that a recipe can give a ratio for.
fn tasks() -> impl Iterator<Item = SceneTask> {
    let dialogues = Dialogue::ALL.into_iter().flat_map(|dialogue| {
        [SceneTask::Vig(dialogue), SceneTask::Vic(dialogue), SceneTask::Continue(dialogue)]
    });
    [SceneTask::Caption, SceneTask::Vqa].into_iter().chain(dialogues)
}
