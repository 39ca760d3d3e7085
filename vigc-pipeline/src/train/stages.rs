//! The stages and the one function that runs any of them.

#[cfg(feature = "scenes")]
pub mod clip;
#[cfg(feature = "scenes")]
mod fact_table;
#[cfg(feature = "scenes")]
pub mod facts;
#[cfg(feature = "scenes")]
pub mod instruct;
#[cfg(feature = "scenes")]
pub mod language;
#[cfg(feature = "scenes")]
mod lessons;
#[cfg(feature = "scenes")]
pub mod llava;
#[cfg(feature = "scenes")]
mod low_rank;
#[cfg(feature = "scenes")]
mod mixtures;
#[cfg(feature = "scenes")]
mod patches;
#[cfg(feature = "scenes")]
mod slots;
#[cfg(feature = "scenes")]
pub mod vision;

#[cfg(all(test, feature = "scenes"))]
mod tests;

use std::fs;
use std::path::Path;

use burn::tensor::Device;

use super::engine::run;
use super::error::{Result, TrainError};
use super::progress::Progress;
use super::recipe::{Recipe, Stage};
use vigc_core::random::{Draw, Stream};

/// What a stage ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageOutcome {
    /// Updates done.
    pub updates: u64,
    /// Whether all updates are done and the result is written.
    pub finished: bool,
}

/// Runs a recipe on a device, from the start or from its newest checkpoint.
///
/// # Errors
///
/// Those of [`run`] and of the stage's data sets.
pub fn run_recipe(
    recipe: &Recipe,
    device: &Device,
    resume: bool,
    progress: &mut dyn Progress,
) -> Result<StageOutcome> {
    recipe.validate()?;
    let device = device.clone().autodiff();
    device.seed(Draw { seed: recipe.seed, micro_step: 0 }.number(Stream::Weights));
    match recipe.stage {
        #[cfg(feature = "scenes")]
        Stage::Vision => {
            let config = Recipe::need("model.vision", recipe.model.vision.as_ref())?;
            config.validate()?;
            let objective = vision::VisionObjective::new(recipe)?;
            let model = vision::VisionModel::new(&config, &device);
            let outcome = run(&objective, model, &recipe.run_options(), resume, progress)?;
            if outcome.finished {
                vision::save_vision(outcome.model, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        #[cfg(feature = "scenes")]
        Stage::Language => {
            let tokenizer = language::prepare_tokenizers(recipe)?;
            let config = language::llama_config(recipe, &tokenizer)?;
            let objective = language::LanguageObjective::new(recipe, tokenizer)?;
            let model = language::starting_llama(recipe, &config, &device)?;
            let outcome = run(&objective, model, &recipe.run_options(), resume, progress)?;
            if outcome.finished {
                language::save_language(&outcome.model, &config, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        #[cfg(feature = "scenes")]
        Stage::Facts | Stage::Align | Stage::Tune => {
            let frozen = device.clone().inner();
            let (_, model) = instruct::starting_model(recipe, &frozen)?;
            let parts = instruct::SoftTokenWriter::of(model.network(), &device);
            let options = recipe.run_options();
            let outcome = if recipe.stage == Stage::Facts {
                let objective = facts::FactsObjective::new(recipe, &model, progress)?;
                run(&objective, parts, &options, resume, progress)?
            } else {
                let objective = instruct::InstructObjective::new(recipe, &model, progress)?;
                run(&objective, parts, &options, resume, progress)?
            };
            if outcome.finished {
                instruct::save_instruct(outcome.model, &model, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        #[cfg(feature = "scenes")]
        Stage::Clip => {
            let (source, around) = instruct::starting_model(recipe, &device.clone().inner())?;
            let config = clip::llava_config(recipe, &around)?;
            let objective = clip::ClipObjective::new(recipe, &config, &around)?;
            let model = clip::ClipModel::new(&config, &source, &device)?;
            let outcome = run(&objective, model, &recipe.run_options(), resume, progress)?;
            if outcome.finished {
                clip::save_clip(outcome.model, config, &around, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
        #[cfg(feature = "scenes")]
        Stage::Llava => {
            let model = llava::starting_llava(recipe, &device.clone().inner())?;
            let parts = llava::LlavaParts::of(&model, recipe, &device)?;
            let objective = llava::LlavaObjective::new(recipe, &model, progress)?;
            let outcome = run(&objective, parts, &recipe.run_options(), resume, progress)?;
            if outcome.finished {
                llava::save_llava(outcome.model, &model, recipe)?;
            }
            Ok(StageOutcome { updates: outcome.updates, finished: outcome.finished })
        }
    }
}

/// Copies those of a model's small files that are there.
#[cfg(feature = "scenes")]
fn copy_files(from: &Path, to: &Path, names: &[&str]) -> Result<()> {
    let inner = to.join("qformer_tokenizer");
    fs::create_dir_all(&inner).map_err(TrainError::file(&inner))?;
    for name in names.iter().filter(|name| from.join(name).is_file()) {
        fs::copy(from.join(name), to.join(name)).map_err(TrainError::file(to.join(name)))?;
    }
    Ok(())
}
