//! Pretraining of the image encoder: every patch learns to tell what it shows.
//!
//! Linear heads predict the labels from the normalized patch tokens. The norm in front of them becomes `ln_vision`.

use burn::module::Module;
use burn::tensor::{DType, Device};
use vigc_core::files::write_json;
use vigc_core::nn::LayerNorm;
use vigc_core::weights::{KeyMap, save};
use vigc_vision::eva_vit::{EvaVit, EvaVitConfig};
use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig};

use super::patches::{PatchBatch, PatchHeads, PatchScenes};
use crate::engine::{Loss, Objective};
use crate::error::{Result, TrainError};
use crate::recipe::Recipe;
use vigc_core::random::Draw;

/// The image encoder and the norm after it, with heads that are used in training only.
#[derive(Module, Debug)]
pub struct VisionModel {
    /// The image encoder.
    pub vision_model: EvaVit,
    /// The norm of its output.
    pub ln_vision: LayerNorm,
    heads: PatchHeads,
}

/// The parts of a [`VisionModel`] that are kept.
#[derive(Module, Debug)]
pub struct VisionParts {
    /// The image encoder.
    pub vision_model: EvaVit,
    /// The norm of its output.
    pub ln_vision: LayerNorm,
}

impl VisionModel {
    /// An untrained model.
    #[must_use]
    pub fn new(config: &EvaVitConfig, device: &Device) -> Self {
        Self {
            vision_model: config.init(device),
            ln_vision: LayerNorm::new(config.hidden_size, config.layer_norm_eps, device),
            heads: PatchHeads::new(config.hidden_size, device),
        }
    }
}

/// Predicting what every patch of a rendered scene shows.
#[derive(Debug)]
pub struct VisionObjective(PatchScenes<BlipImageProcessor>);

impl VisionObjective {
    /// The objective of a recipe.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] if the recipe has no `model.vision`.
    pub fn new(recipe: &Recipe) -> Result<Self> {
        let config = Recipe::need("model.vision", recipe.model.vision.as_ref())?;
        let side = u32::try_from(config.image_size).unwrap_or(u32::MAX);
        let processor = BlipImageProcessor::new(BlipImageProcessorConfig::square(side))?;
        let sizes = [config.image_size, config.patch_size];
        Ok(Self(PatchScenes::new(recipe, processor, sizes)?))
    }
}

impl Objective for VisionObjective {
    type Model = VisionModel;
    type Batch = PatchBatch;

    fn batch(&self, draw: Draw) -> Result<PatchBatch> {
        Ok(self.0.draw(draw))
    }

    fn held_out(&self) -> Result<Vec<PatchBatch>> {
        Ok(self.0.held_out())
    }

    fn loss(&self, model: &VisionModel, mut batch: PatchBatch) -> Result<Loss> {
        let device = model.ln_vision.gamma.device();
        let pixels = batch.pixels(self.0.side, &device);
        let tokens = model.ln_vision.forward(model.vision_model.forward(pixels));
        let (loss, metrics) = model.heads.loss(tokens, &batch);
        Ok(Loss { loss, samples: batch.images(), metrics })
    }
}

/// Writes the trained parts as `model.safetensors`, `config.json` and `preprocessor_config.json` to the output folder.
///
/// # Errors
///
/// [`TrainError::Core`] if a file cannot be written.
pub fn save_vision(model: VisionModel, recipe: &Recipe) -> Result<(), TrainError> {
    let config = Recipe::need("model.vision", recipe.model.vision.as_ref())?;
    let parts = VisionParts { vision_model: model.vision_model, ln_vision: model.ln_vision };
    save(&parts, &KeyMap::IDENTITY, DType::F32, recipe.output.join("model.safetensors"))?;
    write_json(recipe.output.join("config.json"), &config)?;
    let side = u32::try_from(config.image_size).unwrap_or(u32::MAX);
    let processor = BlipImageProcessorConfig::square(side);
    Ok(write_json(recipe.output.join("preprocessor_config.json"), &processor)?)
}
