//! The stages of training, and the function that runs any of them.

pub mod clip;
mod fact_slots;
pub mod facts;
pub mod finetune;
pub mod instruct_blip;
pub mod language;
mod low_rank;
mod patches;
mod training_data;
pub mod vision;

#[cfg(test)]
mod tests;

use burn::tensor::Device;

use vigc_core::random::{Draw, Stream};
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::model::{Architecture, VisionLanguageModel};
use vigc_pipeline::with_model;

use self::finetune::{FinetuneObjective, TrainedParts};
use crate::engine::run;
use crate::error::{Result, TrainError};
use crate::listener::RunListener;
use crate::recipe::{Recipe, Stage};

/// The result of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageOutcome {
    /// The number of updates done.
    pub updates: u64,
    /// Whether all updates are done and the trained parts are written. Otherwise the time was up.
    pub finished: bool,
}

/// Runs a recipe on a device. With `resume`, it continues from the newest checkpoint in the output folder.
///
/// # Errors
///
/// Those of [`run`], of the stage's data sets and of its models.
pub fn run_recipe(
    recipe: &Recipe,
    device: &Device,
    resume: bool,
    listener: &mut dyn RunListener,
) -> Result<StageOutcome> {
    recipe.validate()?;
    let device = device.clone().autodiff();
    device.seed(Draw { seed: recipe.seed, micro_step: 0 }.number(Stream::Weights));
    match recipe.stage {
        Stage::Vision => {
            let config = Recipe::need("model.vision", recipe.model.vision.as_ref())?;
            config.validate()?;
            let objective = vision::VisionObjective::new(recipe)?;
            let model = vision::VisionModel::new(&config, &device);
            let outcome = run(&objective, model, &recipe.run_options(), resume, listener)?;
            if outcome.finished {
                vision::save_vision(outcome.model, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        Stage::Language => {
            let tokenizer = language::prepare_tokenizers(recipe)?;
            let config = language::llama_config(recipe, &tokenizer)?;
            let objective = language::LanguageObjective::new(recipe, tokenizer)?;
            let model = language::starting_llama(recipe, &config, &device)?;
            let outcome = run(&objective, model, &recipe.run_options(), resume, listener)?;
            if outcome.finished {
                language::save_language(&outcome.model, &config, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        Stage::Facts | Stage::Align | Stage::Tune => {
            let frozen = device.clone().inner();
            let (_, model) = instruct_blip::starting_model(recipe, &frozen)?;
            let parts = TrainedParts::connector(&model, &device);
            let options = recipe.run_options();
            let (connector, updates, finished) = if recipe.stage == Stage::Facts {
                let objective = facts::FactsObjective::new(recipe, &model, listener)?;
                let outcome = run(&objective, parts.connector, &options, resume, listener)?;
                (outcome.model, outcome.updates, outcome.finished)
            } else {
                let objective = FinetuneObjective::new(recipe, &model, listener)?;
                let outcome = run(&objective, parts, &options, resume, listener)?;
                (outcome.model.connector, outcome.updates, outcome.finished)
            };
            if finished {
                finetune::save_connector(connector, &model, recipe)?;
            }
            Ok(StageOutcome { updates, finished })
        }
        Stage::Clip => {
            let (source, around) = instruct_blip::starting_model(recipe, &device.clone().inner())?;
            let config = clip::llava_config(recipe, &around)?;
            let objective = clip::ClipObjective::new(recipe, &config, &around)?;
            let model = clip::ClipModel::new(&config, &source, &device)?;
            let outcome = run(&objective, model, &recipe.run_options(), resume, listener)?;
            if outcome.finished {
                clip::save_clip(outcome.model, config, &around, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        Stage::Finetune => {
            let folder = Recipe::need("inputs.model", recipe.inputs.model.as_ref())?;
            let frozen = device.clone().inner();
            let model = AnyModel::from_dir_with(folder, &frozen, &recipe.model.load_options());
            let model = model.map_err(TrainError::pipeline)?;
            with_model!(model, model => run_finetuning(recipe, &model, &device, resume, listener))
        }
    }
}

/// Finetunes a model of any architecture. With `resume`, the run continues from the newest checkpoint in the recipe's output
/// folder.
///
/// # Errors
///
/// Those of [`run`] and of the recipe's data sets.
pub fn run_finetuning<A: Architecture>(
    recipe: &Recipe,
    model: &VisionLanguageModel<A>,
    device: &Device,
    resume: bool,
    listener: &mut dyn RunListener,
) -> Result<StageOutcome> {
    let parts = TrainedParts::of(model, recipe, device)?;
    let objective = FinetuneObjective::new(recipe, model, listener)?;
    let outcome = run(&objective, parts, &recipe.run_options(), resume, listener)?;
    if outcome.finished {
        finetune::save_finetuned(outcome.model, model, recipe)?;
    }
    Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
}
