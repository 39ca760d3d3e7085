//! Pretraining of the image encoder: every patch says what it shows.
//!
//! Captions alone would need far more pictures to teach a small encoder kinds, colors and places.
//! Linear heads read them off the normalized patch tokens instead; the heads are thrown away, the
//! norm in front of them becomes `ln_vision`.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use vigc_core::config::write_json;
use vigc_core::nn::LayerNorm;
use vigc_core::weights::{KeyMap, save};
use vigc_vision::eva_vit::{EvaVit, EvaVitConfig};
use vigc_vision::image::{ImageProcessor, ImageProcessorConfig};

use crate::data::scenes::{SceneRange, picture};
use crate::draw::{Draw, EpochOrder};
use crate::scenes::{Background, Cell, Color, Kind, Scene, Size, Split};
use crate::train::engine::{Loss, Objective};
use crate::train::error::{Result, TrainError};
use crate::train::recipe::Recipe;

/// The encoder, the norm after it, and the heads that are thrown away.
#[derive(Module, Debug)]
pub struct VisionModel {
    /// The image encoder.
    pub vision_model: EvaVit,
    /// The norm of its output.
    pub ln_vision: LayerNorm,
    kind: Linear,
    color: Linear,
    size: Linear,
    cell: Linear,
    background: Linear,
    presence: Linear,
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
    /// A new model.
    #[must_use]
    pub fn new(config: &EvaVitConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let head = |classes| LinearConfig::new(width, classes).init(device);
        Self {
            vision_model: config.init(device),
            ln_vision: LayerNorm::new(width, config.layer_norm_eps, device),
            kind: head(Kind::ALL.len() + 1),
            color: head(Color::ALL.len()),
            size: head(Size::ALL.len()),
            cell: head(Cell::ALL.len()),
            background: head(Background::ALL.len()),
            presence: head(Kind::ALL.len()),
        }
    }
}

/// Pictures and what their patches show.
#[derive(Debug)]
pub struct VisionBatch {
    images: usize,
    pixels: Vec<f32>,
    /// The kind of every patch, 0 for the background.
    kinds: Vec<i32>,
    /// Indices of the patches that show an object, and what it is.
    rows: Vec<i32>,
    object_kinds: Vec<i32>,
    colors: Vec<i32>,
    sizes: Vec<i32>,
    cells: Vec<i32>,
    /// What the whole picture shows.
    backgrounds: Vec<i32>,
    presence: Vec<f32>,
}

/// Dense supervision on rendered scenes.
#[derive(Debug)]
pub struct VisionObjective {
    processor: ImageProcessor,
    side: usize,
    grid: usize,
    batch: usize,
    range: SceneRange,
    held_out: usize,
}

impl VisionObjective {
    /// The objective of a recipe.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] if the recipe has no `model.vision`.
    pub fn new(recipe: &Recipe) -> Result<Self> {
        let config = Recipe::need("model.vision", recipe.model.vision.as_ref())?;
        let side = u32::try_from(config.image_size).unwrap_or(u32::MAX);
        let processor = ImageProcessor::new(ImageProcessorConfig::square(side))?;
        Ok(Self {
            processor,
            side: config.image_size,
            grid: config.image_size / config.patch_size,
            batch: recipe.optimisation.batch,
            range: Recipe::need("data.scenes", recipe.data.scenes.as_ref())?,
            held_out: recipe.run.validate_samples,
        })
    }

    fn collate(&self, scenes: &[Scene]) -> VisionBatch {
        let mut batch = VisionBatch {
            images: scenes.len(),
            pixels: Vec::with_capacity(scenes.len() * 3 * self.side * self.side),
            kinds: Vec::new(),
            rows: Vec::new(),
            object_kinds: Vec::new(),
            colors: Vec::new(),
            sizes: Vec::new(),
            cells: Vec::new(),
            backgrounds: Vec::new(),
            presence: Vec::new(),
        };
        for scene in scenes {
            let picture = picture(scene, u32::try_from(self.side).unwrap_or(u32::MAX));
            batch.pixels.extend(self.processor.process(&picture));
            batch.label(scene, self.grid);
        }
        batch
    }
}

impl VisionBatch {
    fn label(&mut self, scene: &Scene, grid: usize) {
        let class = |index: usize| i32::try_from(index).unwrap_or(i32::MAX);
        for label in scene.patch_labels(grid) {
            let Some(object) = label.object.map(|index| &scene.objects[index]) else {
                self.kinds.push(0);
                continue;
            };
            self.rows.push(class(self.kinds.len()));
            self.kinds.push(class(object.kind.index() + 1));
            self.object_kinds.push(class(object.kind.index() + 1));
            self.colors.push(class(object.color.index()));
            self.sizes.push(class(object.size.index()));
            self.cells.push(class(object.cell.index()));
        }
        self.backgrounds.push(class(scene.background.index()));
        let present = |kind: &Kind| scene.objects.iter().any(|object| object.kind == *kind);
        self.presence.extend(Kind::ALL.iter().map(|kind| f32::from(u8::from(present(kind)))));
    }
}

impl Objective for VisionObjective {
    type Model = VisionModel;
    type Batch = VisionBatch;

    fn batch(&self, draw: Draw) -> Result<VisionBatch> {
        let first = draw.micro_step * self.batch as u64;
        let order = EpochOrder { seed: draw.seed, len: self.range.count as u64 };
        let scenes: Vec<_> = (first..first + self.batch as u64)
            .map(|at| self.range.scene(usize::try_from(order.item(at)).unwrap_or(0)))
            .collect();
        Ok(self.collate(&scenes))
    }

    fn held_out(&self) -> Result<Vec<VisionBatch>> {
        let scenes: Vec<_> =
            (0..self.held_out as u64).map(|seed| Scene::sample(Split::Val, seed)).collect();
        Ok(scenes.chunks(self.batch).map(|scenes| self.collate(scenes)).collect())
    }

    fn loss(&self, model: &VisionModel, batch: VisionBatch) -> Result<Loss> {
        let device = model.kind.weight.device();
        let samples = batch.images;
        let pixels = TensorData::new(batch.pixels, [samples, 3, self.side, self.side]);
        let tokens = model.vision_model.forward(Tensor::from_data(pixels, &device));
        let tokens = model.ln_vision.forward(tokens);
        let [images, positions, width] = tokens.dims();
        let class_token = tokens.clone().narrow(1, 0, 1).reshape([images, width]);
        let patches = tokens.narrow(1, 1, positions - 1).reshape([images * (positions - 1), width]);
        let (kind, kind_right) = classify(model.kind.forward(patches.clone()), batch.kinds);
        let (background, _) =
            classify(model.background.forward(class_token.clone()), batch.backgrounds);
        let presence = TensorData::new(batch.presence, [images, Kind::ALL.len()]);
        let presence = Tensor::from_data(presence, &device);
        let presence = binary(model.presence.forward(class_token), presence);
        let mut loss = kind.mul_scalar(2.0) + background.mul_scalar(0.3) + presence.mul_scalar(0.3);
        let mut metrics = vec![("kind", kind_right)];
        if !batch.rows.is_empty() {
            let rows =
                Tensor::from_data(TensorData::new(batch.rows.clone(), [batch.rows.len()]), &device);
            let objects = patches.select(0, rows);
            let (color, color_right) = classify(model.color.forward(objects.clone()), batch.colors);
            let (size, size_right) = classify(model.size.forward(objects.clone()), batch.sizes);
            let (cell, cell_right) = classify(model.cell.forward(objects.clone()), batch.cells);
            let (_, object_right) = classify(model.kind.forward(objects), batch.object_kinds);
            loss = loss + color + size.mul_scalar(0.5) + cell.mul_scalar(0.5);
            metrics.extend([
                ("object", object_right),
                ("color", color_right),
                ("size", size_right),
                ("cell", cell_right),
            ]);
        }
        let metrics = metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Loss { loss, samples, metrics })
    }
}

/// The mean cross-entropy and the part that is right.
fn classify(logits: Tensor<2>, classes: Vec<i32>) -> (Tensor<1>, f64) {
    let [rows, _] = logits.dims();
    let device = logits.device();
    let classes = Tensor::<2, Int>::from_data(TensorData::new(classes, [rows, 1]), &device);
    let right = logits.clone().detach().argmax(1).equal(classes.clone()).float().mean();
    let right: f32 = right.into_scalar();
    (log_softmax(logits, 1).gather(1, classes).mean().neg(), f64::from(right))
}

/// The mean cross-entropy of independent yes-or-no answers.
fn binary(logits: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    // -truth log p - (1 - truth) log(1 - p), in the form that does not overflow.
    let soft = logits.clone().abs().neg().exp().add_scalar(1.0).log();
    (logits.clone().clamp_min(0.0) - logits * truth + soft).mean()
}

/// Writes the parts that are kept: `model.safetensors`, `config.json`, `preprocessor_config.json`.
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
    let processor = ImageProcessorConfig::square(side);
    Ok(write_json(recipe.output.join("preprocessor_config.json"), &processor)?)
}
