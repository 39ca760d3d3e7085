//! Finetuning of a model of any architecture on instruction data: only its connector, or also low-rank updates of the
//! language model, or also the whole language model.
//!
//! For LLaVA: Liu et al., "Visual Instruction Tuning", 2023; `llava/train/train.py`. For InstructBLIP and VIGC: `train.py` of
//! VIGC, which trains the connector. The image encoder is frozen, so its features are computed once per image. If the
//! language model is frozen, its weights are outside autodiff: gradients flow through its activations, but no gradients of
//! its weights are computed.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use vigc_core::TokenBatch;
use vigc_core::random::Draw;
use vigc_core::weights::save;
use vigc_llm::llama::Llama;
use vigc_llm::loss::{IGNORE_INDEX, NextTokenTargets};
use vigc_pipeline::model::{
    Architecture, Connector, ImageEncoder, Padding, PromptInputs, PromptTokens,
    VisionLanguageModel, VisualTokens,
};

use super::language::token_loss;
use super::low_rank::LowRank;
use super::training_data::TrainingData;
use crate::data::InstructionRow;
use crate::engine::{Loss, Objective};
use crate::error::{Result, TrainError};
use crate::features::{Encoder, ImageFeatures};
use crate::listener::RunListener;
use crate::recipe::{Recipe, Tune};

/// The parts of a model that are trained.
#[derive(Module, Debug)]
pub struct TrainedParts<C: Connector> {
    /// The connector, from image features to visual tokens.
    pub connector: C,
    /// The language model, if it is trained as a whole.
    pub language_model: Option<Llama>,
    /// Low-rank updates of the language model, if they are trained.
    pub updates: Option<LowRank>,
}

impl<C: Connector> TrainedParts<C> {
    /// The connector of a model, on the training device.
    #[must_use]
    pub fn connector<A: Architecture<Connector = C>>(
        model: &VisionLanguageModel<A>,
        device: &Device,
    ) -> Self {
        let connector = model.network().connector.clone().fork(device);
        Self { connector, language_model: None, updates: None }
    }

    /// The parts of a model that a recipe tunes, on the training device.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] if the recipe's settings for low-rank updates are invalid.
    pub fn of<A: Architecture<Connector = C>>(
        model: &VisionLanguageModel<A>,
        recipe: &Recipe,
        device: &Device,
    ) -> Result<Self> {
        let llama = &model.network().language_model;
        let mut parts = Self::connector(model, device);
        match recipe.model.tune {
            Tune::Projector => {}
            Tune::Lora => parts.updates = Some(LowRank::new(&recipe.model.lora, llama, device)?),
            Tune::Full => parts.language_model = Some(llama.clone().fork(device)),
        }
        Ok(parts)
    }

    /// The language model with its trained weights or updates. `frozen` is the language model before training.
    fn llama(&self, frozen: &Llama) -> Llama {
        match (&self.language_model, &self.updates) {
            (Some(whole), _) => whole.clone(),
            (None, Some(updates)) => updates.apply(frozen),
            (None, None) => frozen.clone(),
        }
    }
}

/// The visual tokens of images for prompts, which are token ids of the connector's own vocabulary.
pub(super) fn visual_tokens<C: Connector>(
    connector: &C,
    features: TensorData,
    prompts: &[Vec<u32>],
) -> VisualTokens {
    let device = connector.devices().into_iter().next().unwrap_or_default();
    let images = connector.connect(Tensor::from_data(features, &device));
    // The connector masks the padding, so the padding token does not matter.
    connector.visual_tokens(&images, &TokenBatch::pad_right(prompts, 0))
}

/// The training data of a recipe, encoded by a model's image encoder. Features are cached in the recipe's output folder.
pub(super) fn training_data<A: Architecture>(
    recipe: &Recipe,
    model: &VisionLanguageModel<A>,
    listener: &mut dyn RunListener,
) -> Result<TrainingData> {
    let encoder = Encoder {
        processor: model.image_preprocessor(),
        forward: &|pixels| model.network().image_encoder.forward(pixels),
        device: model.device().clone(),
    };
    TrainingData::open(recipe, model.config().image_size(), &encoder, listener)
}

/// Image features with prompts and answers.
#[derive(Debug)]
pub struct FinetuneBatch {
    features: TensorData,
    prompts: Vec<PromptTokens>,
    answers: Vec<Vec<u32>>,
    task: String,
}

/// Writing the answers to prompts about images.
#[derive(Debug)]
pub struct FinetuneObjective<A: Architecture> {
    data: TrainingData,
    model: VisionLanguageModel<A>,
}

impl<A: Architecture> FinetuneObjective<A> {
    /// The objective of a recipe for a model. Image features are cached in the recipe's output folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the recipe lacks a section or features cannot be computed.
    pub fn new(
        recipe: &Recipe,
        model: &VisionLanguageModel<A>,
        listener: &mut dyn RunListener,
    ) -> Result<Self> {
        Ok(Self { data: training_data(recipe, model, listener)?, model: model.clone() })
    }

    /// The tokens of a prompt and its answer, truncated as in the upstream program.
    fn tokens(&self, row: &InstructionRow) -> Result<(PromptTokens, Vec<u32>)> {
        let mut prompt = self.model.prompt_tokens(&row.input).map_err(TrainError::pipeline)?;
        let excess = prompt.after.len().saturating_sub(A::MAX_TRAINED_PROMPT);
        prompt.after.drain(..excess);
        let mut answer = self.model.text_tokenizer().encode_target(&row.output)?;
        answer.truncate(A::MAX_TRAINED_ANSWER);
        Ok((prompt, answer))
    }

    fn collate(
        &self,
        rows: &[InstructionRow],
        features: &ImageFeatures,
        task: &str,
    ) -> Result<FinetuneBatch> {
        let images: Vec<_> = rows.iter().map(|row| row.image).collect();
        let tokens = rows.iter().map(|row| self.tokens(row)).collect::<Result<Vec<_>>>()?;
        let (prompts, answers) = tokens.into_iter().unzip();
        let features = features.batch(&images)?;
        Ok(FinetuneBatch { features, prompts, answers, task: task.to_owned() })
    }
}

impl<A: Architecture> Objective for FinetuneObjective<A> {
    type Model = TrainedParts<A::Connector>;
    type Batch = FinetuneBatch;

    fn batch(&self, draw: Draw) -> Result<FinetuneBatch> {
        self.data.batch(draw, |rows, features, task| self.collate(rows, features, task))
    }

    fn held_out(&self) -> Result<Vec<FinetuneBatch>> {
        self.data.held_out(|rows, features, task| self.collate(rows, features, task))
    }

    fn loss(&self, parts: &Self::Model, batch: FinetuneBatch) -> Result<Loss> {
        let FinetuneBatch { features, mut prompts, answers, task } = batch;
        let text: Vec<_> =
            prompts.iter_mut().map(|prompt| std::mem::take(&mut prompt.connector)).collect();
        let visual = visual_tokens(&parts.connector, features, &text);
        for (prompt, answer) in prompts.iter_mut().zip(&answers) {
            prompt.after.extend_from_slice(answer);
        }
        let llama = parts.llama(&self.model.network().language_model);
        let padding_id = self.model.padding_id();
        let inputs = PromptInputs::new(&llama, &prompts, &visual, Padding::Right, padding_id);
        let [samples, seq, _] = inputs.embeds.dims();
        // The answer is at the end of a row, and nothing before it is predicted.
        let labels = inputs.tokens.iter().zip(&answers).map(|(row, answer)| {
            let mut labels = vec![IGNORE_INDEX; row.len() - answer.len()];
            labels.extend(answer.iter().map(|&id| i64::from(id)));
            labels.resize(seq, IGNORE_INDEX);
            labels
        });
        let next = NextTokenTargets::from_labels(&labels.collect::<Vec<_>>());
        let hidden = llama.forward(inputs.embeds, inputs.mask, None);
        Ok(token_loss(&llama, hidden, &next, samples, Some(task)))
    }
}

/// Writes a model with its trained connector to `model` in the output folder.
///
/// # Errors
///
/// [`TrainError`] if a file cannot be written.
pub fn save_connector<A: Architecture>(
    connector: A::Connector,
    model: &VisionLanguageModel<A>,
    recipe: &Recipe,
) -> Result<()> {
    let mut model = model.clone();
    model.network_mut().connector = connector;
    let dtype = recipe.model.precision.dtype();
    model.save_pretrained(recipe.output.join("model"), dtype).map_err(TrainError::pipeline)
}

/// Writes the trained parts to the output folder.
///
/// Unless frozen weights are in a lower precision than f32, the whole model goes to `model`, with low-rank updates merged.
/// Unless the language model was trained as a whole, the connector goes to `projector.safetensors` and the updates to
/// `adapter`, in PEFT's format. [`LlavaFiles`](vigc_pipeline::llava::LlavaFiles) applies both to the original model.
///
/// # Errors
///
/// [`TrainError`] if a file cannot be written.
pub fn save_finetuned<A: Architecture>(
    trained: TrainedParts<A::Connector>,
    model: &VisionLanguageModel<A>,
    recipe: &Recipe,
) -> Result<()> {
    let output = &recipe.output;
    if let Some(updates) = &trained.updates {
        let base = recipe.inputs.model.as_deref().unwrap_or_else(|| Path::new(""));
        let base = base.display().to_string();
        updates.save(recipe.model.lora.alpha, &base, &output.join("adapter"))?;
    }
    if trained.language_model.is_none() {
        // Saved as a part of the model, so that its tensors have the names that they have in the model's folder.
        let connector = TrainedParts {
            connector: trained.connector.clone(),
            language_model: None,
            updates: None,
        };
        let path = output.join("projector.safetensors");
        save(&connector, &model.config().key_map(), DType::F32, path)?;
    }
    if recipe.model.frozen.is_some() {
        return Ok(());
    }
    let mut tuned = model.clone();
    let network = tuned.network_mut();
    network.language_model = match (trained.language_model, &trained.updates) {
        (Some(whole), _) => whole,
        (None, Some(updates)) => updates.merge(&network.language_model),
        (None, None) => network.language_model.clone(),
    };
    save_connector(trained.connector, &tuned, recipe)
}
