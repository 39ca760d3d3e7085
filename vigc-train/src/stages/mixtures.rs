//! The data sets that a recipe names.

use std::sync::Arc;

use crate::data::scenes::{SceneImages, SceneRange, SceneRows, SceneTask};
use crate::data::{
    AnnotatedImages, AnnotationFile, DataSection, ImageSource, Instructed, InstructionDataset,
    JoinedImages, Mixture,
};
use crate::error::{Result, TrainError};
use crate::recipe::Recipe;
use vigc_scenes::Dialogue;

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
        for (files, rows) in annotated(&data.files, images.iter().map(|source| source.len()).sum())?
        {
            images.push(Box::new(AnnotatedImages::clone(&rows[0].images)));
            let rows = rows.into_iter().map(|rows| Box::new(rows) as Box<dyn InstructionDataset>);
            parts.extend(rows.zip(files.iter().map(|file| file.ratio)));
        }
        Ok(Self { mixture: Mixture::new(parts)?, images: JoinedImages::new(images) })
    }
}

type OfFolder<'a> = (Vec<&'a AnnotationFile>, Vec<Instructed>);

/// The rows of files, put together by the folders of their images: what several files are about is one image.
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
        let rows = rows.map(|(file, rows)| file.instructed(rows, &images, first_image)).collect();
        first_image += images.len();
        Ok((files, rows))
    };
    folders.into_iter().map(open).collect()
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
