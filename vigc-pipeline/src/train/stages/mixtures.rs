//! The data sets that a recipe names.

use crate::data::scenes::{SceneImages, SceneRange, SceneRows, SceneTask};
use crate::data::{
    AnnotatedImages, DataSection, ImageSource, InstructionDataset, JoinedImages, Mixture,
};
use crate::scenes::Dialogue;
use crate::train::error::{Result, TrainError};
use crate::train::recipe::Recipe;

/// Every task that a ratio can be given for.
fn tasks() -> impl Iterator<Item = SceneTask> {
    let dialogues = Dialogue::ALL.into_iter().flat_map(|dialogue| {
        [SceneTask::Vig(dialogue), SceneTask::Vic(dialogue), SceneTask::Continue(dialogue)]
    });
    [SceneTask::Caption, SceneTask::Vqa].into_iter().chain(dialogues)
}

/// What a recipe learns from: its scenes' tasks in the order of their names, then its files.
pub(super) struct Sources {
    pub(super) mixture: Mixture,
    pub(super) images: JoinedImages,
}

impl Sources {
    /// Opens everything that a recipe names; scenes are drawn `side` pixels wide.
    pub(super) fn open(data: &DataSection, side: u32) -> Result<Self> {
        let mut parts = scene_parts(data)?;
        let mut images: Vec<Box<dyn ImageSource>> = Vec::new();
        if let Some(range) = data.scenes {
            images.push(Box::new(SceneImages { range, side }));
        }
        for file in &data.files {
            let first_image = images.iter().map(|source| source.len()).sum();
            let rows = file.instructed(first_image)?;
            images.push(Box::new(AnnotatedImages::clone(&rows.images)));
            parts.push((Box::new(rows), file.ratio));
        }
        Ok(Self { mixture: Mixture::new(parts)?, images: JoinedImages::new(images) })
    }
}

/// The tasks of a recipe over its scenes.
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
            expected: "caption, vqa, or vig_, vic_ or continue_ with conversation, detail or reasoning",
        })?;
        parts.push((Box::new(SceneRows { range, task }), ratio));
    }
    Ok(parts)
}
