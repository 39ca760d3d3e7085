//! Finetuning of a LLaVA on instruction data: its projector alone, with low-rank updates of the language
//! model, or both whole.
//!
//! Liu et al., "Visual Instruction Tuning", 2023; `llava/train/train.py`. The image encoder is frozen, so its
//! features are computed once per image.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use vigc_core::TokenBatch;
use vigc_core::weights::{KeyMap, save};
use vigc_llm::llama::Llama;
use vigc_llm::loss::NextTokenTargets;

use super::language::token_loss;
use super::lessons::Lessons;
use super::low_rank::LowRank;
use crate::data::InstructionRow;
use crate::data::splice::{MAX_OUTPUT, SplicedRow, batch_labels};
use crate::draw::Draw;
use crate::llava::{Llava, Projector, splice};
use crate::train::engine::{Loss, Objective};
use crate::train::error::{Result, TrainError};
use crate::train::features::{Encoder, ImageFeatures};
use crate::train::progress::Progress;
use crate::train::recipe::{Recipe, Tune};

/// The parts of a LLaVA that are trained.
#[derive(Module, Debug)]
pub struct LlavaParts {
    /// From the image encoder's width to the language model's.
    pub multi_modal_projector: Projector,
    /// The language model, if it is trained whole.
    pub language_model: Option<Llama>,
    /// Its updates, if they are trained.
    pub updates: Option<LowRank>,
}

impl LlavaParts {
    /// The parts of a model that a recipe trains, on the training device.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] if the recipe's low-rank updates make no sense.
    pub fn of(model: &Llava, recipe: &Recipe, device: &Device) -> Result<Self> {
        let network = model.network();
        let llama = &network.language_model;
        let tune = recipe.model.tune;
        let low_rank = || LowRank::new(&recipe.model.lora, llama, device);
        let whole = (tune == Tune::Full).then(|| llama.clone().fork(device));
        Ok(Self {
            multi_modal_projector: network.multi_modal_projector.clone().fork(device),
            language_model: whole,
            updates: (tune == Tune::Lora).then(low_rank).transpose()?,
        })
    }

    /// The language model as it is trained, where `frozen` is what it began as.
    fn llama(&self, frozen: &Llama) -> Llama {
        match (&self.language_model, &self.updates) {
            (Some(whole), _) => whole.clone(),
            (None, Some(updates)) => updates.apply(frozen),
            (None, None) => frozen.clone(),
        }
    }
}

/// Images, and prompts with their answers around the places of the images.
#[derive(Debug)]
pub struct LlavaBatch {
    features: TensorData,
    starts: Vec<usize>,
    rows: TokenBatch,
    next: NextTokenTargets,
    task: String,
}

/// Prompts and answers about images whose features are known.
#[derive(Debug)]
pub struct LlavaObjective {
    lessons: Lessons,
    model: Llava,
}

impl LlavaObjective {
    /// The objective of a recipe for a model; caches features in the recipe's output folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the recipe lacks a section or features cannot be computed.
    pub fn new(recipe: &Recipe, model: &Llava, progress: &mut dyn Progress) -> Result<Self> {
        let network = model.network();
        let encoder = Encoder {
            processor: model.processor(),
            forward: &|pixels| network.image_features(pixels),
            device: model.device().clone(),
        };
        let side = model.config().vision_config.image_size;
        Ok(Self { lessons: Lessons::open(recipe, side, &encoder, progress)?, model: model.clone() })
    }

    /// A prompt with the places of its image, and its answer; where those places begin.
    fn splice(&self, row: &InstructionRow) -> Result<(SplicedRow, usize)> {
        let text = self.model.text_tokenizer();
        let tokens = self.model.prompt_tokens(&row.input).map_err(TrainError::pipeline)?;
        let places = self.model.config().num_image_tokens();
        let mut answer = text.encode_target(&row.output)?;
        answer.truncate(MAX_OUTPUT);
        let prompt = tokens.with_places(places, text.pad_id());
        Ok((SplicedRow::from_tokens(prompt, &answer), tokens.before.len()))
    }

    fn collate(
        &self,
        rows: &[InstructionRow],
        features: &ImageFeatures,
        task: &str,
    ) -> Result<LlavaBatch> {
        let images: Vec<_> = rows.iter().map(|row| row.image).collect();
        let rows = rows.iter().map(|row| self.splice(row)).collect::<Result<Vec<_>>>()?;
        let (rows, starts): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let ids: Vec<_> = rows.iter().map(|row| row.ids.clone()).collect();
        Ok(LlavaBatch {
            features: features.batch(&images)?,
            starts,
            rows: TokenBatch::pad_right(&ids, self.model.text_tokenizer().pad_id()),
            next: NextTokenTargets::from_labels(&batch_labels(&rows, 0)),
            task: task.to_owned(),
        })
    }
}

impl Objective for LlavaObjective {
    type Model = LlavaParts;
    type Batch = LlavaBatch;

    fn batch(&self, draw: Draw) -> Result<LlavaBatch> {
        self.lessons.batch(draw, |rows, features, task| self.collate(rows, features, task))
    }

    fn held_out(&self) -> Result<Vec<LlavaBatch>> {
        self.lessons.held_out(|rows, features, task| self.collate(rows, features, task))
    }

    fn loss(&self, parts: &LlavaParts, batch: LlavaBatch) -> Result<Loss> {
        let [samples, _] = batch.rows.dims();
        let llama = parts.llama(&self.model.network().language_model);
        let device = llama.device();
        let features = Tensor::from_data(batch.features, &device);
        let visual = parts.multi_modal_projector.forward(features);
        let words = llama.embed(batch.rows.ids(&device));
        let embeds = splice(&words, &batch.starts, &visual);
        let hidden = llama.forward(embeds, batch.rows.mask(&device), None);
        Ok(token_loss(&llama, hidden, &batch.next, samples, Some(batch.task)))
    }
}

/// The model that a recipe starts from, its frozen parts in the recipe's precision.
///
/// # Errors
///
/// [`TrainError`] if the recipe names none, would freeze what it trains, or a file cannot be read.
pub fn starting_llava(recipe: &Recipe, device: &Device) -> Result<Llava> {
    let folder = Recipe::need("inputs.model", recipe.inputs.model.as_ref())?;
    Llava::from_dir_with(folder, device, &recipe.model.load_options()).map_err(TrainError::pipeline)
}

/// Writes what was trained to the output folder: the whole model, low-rank updates added, as `model`, unless its frozen
/// parts were kept in less than f32; and, unless the language model was trained whole, `projector.safetensors` and
/// the updates as PEFT has them, `adapter`. [`LlavaFiles`](crate::llava::LlavaFiles) lays both over the model that
/// was begun with.
///
/// # Errors
///
/// [`TrainError`] if a file cannot be written.
pub fn save_llava(trained: LlavaParts, model: &Llava, recipe: &Recipe) -> Result<()> {
    let output = &recipe.output;
    if let Some(updates) = &trained.updates {
        let base = recipe.inputs.model.as_deref().unwrap_or_else(|| Path::new(""));
        let base = base.display().to_string();
        updates.save(recipe.model.lora.alpha, &base, &output.join("adapter"))?;
    }
    if trained.language_model.is_none() {
        let projector = output.join("projector.safetensors");
        save(&trained.multi_modal_projector, &PROJECTOR, DType::F32, projector)?;
    }
    if recipe.model.frozen.is_some() {
        return Ok(());
    }
    let mut model = model.clone();
    let network = model.network_mut();
    network.language_model = match (trained.language_model, &trained.updates) {
        (Some(whole), _) => whole,
        (None, Some(updates)) => updates.merge(&network.language_model),
        (None, None) => network.language_model.clone(),
    };
    network.multi_modal_projector = trained.multi_modal_projector;
    let dtype = recipe.model.precision.dtype();
    model.save_pretrained(output.join("model"), dtype).map_err(TrainError::pipeline)
}

/// The projector's names to those in a network.
const PROJECTOR: KeyMap = KeyMap::new(&[("^", "multi_modal_projector.")]);
