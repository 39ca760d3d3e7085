//! The data sets that a recipe names.

use crate::data::Mixture;
use crate::data::scenes::{SceneRange, SceneRows, SceneTask};
use crate::data::InstructionDataset;
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

/// The tasks of a recipe over its scenes, in the order of their names.
pub(super) fn scene_mixture(recipe: &Recipe) -> Result<(Mixture, SceneRange)> {
    let range = Recipe::need("data.scenes", recipe.data.scenes.as_ref())?;
    let mut parts: Vec<(Box<dyn InstructionDataset>, f64)> = Vec::new();
    for (name, &ratio) in &recipe.data.ratios {
        let task = tasks().find(|task| task.name() == name).ok_or(TrainError::Setting {
            key: "data.ratios",
            value: name.clone(),
            expected: "caption, vqa, or vig_, vic_ or continue_ with conversation, detail or reasoning",
        })?;
        parts.push((Box::new(SceneRows { range, task }), ratio));
    }
    Ok((Mixture::new(parts)?, range))
}
