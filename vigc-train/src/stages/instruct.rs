//! Alignment and tuning: the Q-Former, its queries and the projection learn to tell a frozen
//! language model what a frozen image encoder sees.
//!
//! The two stages differ in their data only. The encoder's output is computed once per image; the
//! language model stays outside autodiff, which then follows the activations through it but computes no
//! gradient of its weights.

use std::fs;
use std::path::PathBuf;

use burn::module::{Module, Param};
use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use serde_json::json;
use vigc_core::TokenBatch;
use vigc_core::files::{read_json, write_json};
use vigc_core::nn::{Linear, Precision};
use vigc_core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_llm::loss::NextTokens;
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};
use vigc_vision::eva_vit::EvaVitConfig;
use vigc_vision::qformer::{QFormer, QFormerConfig};

use super::copy_files;
use super::language::{TOKENIZERS, token_loss};
use super::lessons::Lessons;
use super::vision::VisionParts;
use crate::data::InstructionRow;
use crate::data::splice::{SplicedRow, batch_labels};
use crate::engine::{Loss, Objective};
use crate::error::{Result, TrainError};
use crate::features::{Encoder, ImageFeatures};
use crate::progress::Progress;
use crate::recipe::Recipe;
use vigc_core::random::Draw;
use vigc_pipeline::instruct_blip::{
    InstructBlip, InstructBlipConfig, Network, SpecialIds, save_network,
};

/// What is trained.
#[derive(Module, Debug)]
pub struct SoftTokenWriter {
    /// What the Q-Former starts from.
    pub query_tokens: Param<Tensor<3>>,
    /// Reads the image in the light of the prompt.
    pub qformer: QFormer,
    /// From the Q-Former's width to the language model's.
    pub language_projection: Linear,
}

impl SoftTokenWriter {
    /// The trainable parts of a network, on the training device.
    #[must_use]
    pub fn of(network: &Network, device: &Device) -> Self {
        let parts = Self {
            query_tokens: network.query_tokens.clone(),
            qformer: network.qformer.clone(),
            language_projection: network.language_projection.clone(),
        };
        parts.fork(device)
    }

    /// What the language model reads of images, `[batch, positions, encoder width]`, in the light of
    /// prompts: `[batch, queries, hidden]`.
    #[must_use]
    pub fn write(&self, features: TensorData, prompts: &TokenBatch) -> Tensor<3> {
        let features = Tensor::from_data(features, &self.query_tokens.device());
        let images = self.qformer.image_key_values(features);
        let output = self.qformer.forward(self.query_tokens.val(), Some(prompts), &images);
        self.language_projection.forward(output)
    }

    /// Puts the parts back.
    pub fn put_into(self, network: &mut Network) {
        network.query_tokens = self.query_tokens;
        network.qformer = self.qformer;
        network.language_projection = self.language_projection;
    }
}

/// What a recipe learns from, as a model's encoder sees it.
pub(super) fn lessons(
    recipe: &Recipe,
    model: &InstructBlip,
    progress: &mut dyn Progress,
) -> Result<Lessons> {
    let network = model.network();
    let encoder = Encoder {
        processor: model.processor(),
        forward: &|pixels| network.image_embeds(pixels),
        device: model.device().clone(),
    };
    Lessons::open(recipe, model.config().vision_config.image_size, &encoder, progress)
}

/// Images with prompts and answers.
#[derive(Debug)]
pub struct InstructBatch {
    features: TensorData,
    prompts: TokenBatch,
    rows: TokenBatch,
    next: NextTokens,
    task: String,
}

/// Prompts and answers about images whose features are known.
#[derive(Debug)]
pub struct InstructObjective {
    lessons: Lessons,
    llama: Llama,
    text: TextTokenizer,
    bert: BertTokenizer,
    queries: usize,
}

impl InstructObjective {
    /// The objective of a recipe for a model; caches features in the recipe's output folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the recipe lacks a section or features cannot be computed.
    pub fn new(recipe: &Recipe, model: &InstructBlip, progress: &mut dyn Progress) -> Result<Self> {
        Ok(Self {
            lessons: lessons(recipe, model, progress)?,
            llama: model.network().language_model.clone(),
            text: model.text_tokenizer().clone(),
            bert: model.qformer_tokenizer().clone(),
            queries: model.config().num_query_tokens,
        })
    }

    fn collate(
        &self,
        rows: &[InstructionRow],
        features: &ImageFeatures,
        task: &str,
    ) -> Result<InstructBatch> {
        let images: Vec<_> = rows.iter().map(|row| row.image).collect();
        let prompts =
            rows.iter().map(|row| self.bert.encode(&row.input)).collect::<Result<Vec<_>, _>>()?;
        let rows = rows
            .iter()
            .map(|row| SplicedRow::new(&self.text, &row.input, &row.output))
            .collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = rows.iter().map(|row| row.ids.clone()).collect();
        Ok(InstructBatch {
            features: features.batch(&images)?,
            prompts: TokenBatch::pad_right(&prompts, self.bert.pad_id()),
            rows: TokenBatch::pad_right(&ids, self.text.pad_id()),
            next: NextTokens::from_labels(&batch_labels(&rows, self.queries)),
            task: task.to_owned(),
        })
    }
}

impl Objective for InstructObjective {
    type Model = SoftTokenWriter;
    type Batch = InstructBatch;

    fn batch(&self, draw: Draw) -> Result<InstructBatch> {
        self.lessons.batch(draw, |rows, features, task| self.collate(rows, features, task))
    }

    fn held_out(&self) -> Result<Vec<InstructBatch>> {
        self.lessons.held_out(|rows, features, task| self.collate(rows, features, task))
    }

    fn loss(&self, model: &SoftTokenWriter, batch: InstructBatch) -> Result<Loss> {
        let [samples, _] = batch.rows.dims();
        let soft = model.write(batch.features, &batch.prompts);
        let frozen = self.llama.device();
        let words = self.llama.embed(batch.rows.ids(&frozen));
        let embeds = Tensor::cat(vec![soft, words], 1);
        let seen = Tensor::<2, Bool>::full([samples, self.queries], true, &frozen);
        let mask = Tensor::cat(vec![seen, batch.rows.mask(&frozen)], 1);
        let hidden = self.llama.forward(embeds, mask, None);
        Ok(token_loss(&self.llama, hidden, &batch.next, samples, Some(batch.task)))
    }
}

/// The model that a recipe starts from: the one it names, or an untrained one around earlier stages.
///
/// # Errors
///
/// [`TrainError`] if the recipe names neither, a file cannot be read or what is to be trained is in less than f32.
pub fn starting_model(recipe: &Recipe, device: &Device) -> Result<(PathBuf, InstructBlip)> {
    let folder = match &recipe.inputs.model {
        Some(folder) => folder.clone(),
        None => assemble(recipe, device)?,
    };
    let options = recipe.model.load_options();
    let mut model =
        InstructBlip::from_dir_with(&folder, device, &options).map_err(TrainError::pipeline)?;
    let trained = model.config().precisions.qformer;
    if trained != Precision::F32 {
        let (key, value) = ("inputs.model", format!("one whose Q-Former is in {trained}"));
        let expected = "a model whose Q-Former can be trained, in f32";
        return Err(TrainError::Setting { key, value, expected });
    }
    if recipe.model.new_qformer {
        forget(&mut model, device);
    }
    if let (Some(_), Some(language)) = (&recipe.inputs.model, &recipe.inputs.language) {
        let weights = Checkpoint::open(language.join("model.safetensors"))?;
        let llama = &mut model.network_mut().language_model;
        weights.load(llama, &KeyMap::IDENTITY, Strictness::Strict)?;
    }
    Ok((folder, model))
}

/// Gives a model an untrained Q-Former, queries and projection of the same shapes.
fn forget(model: &mut InstructBlip, device: &Device) {
    let untrained = model.config().init(device);
    SoftTokenWriter::of(&untrained, device).put_into(model.network_mut());
}

/// Writes an untrained model around the results of the vision and the language stage.
fn assemble(recipe: &Recipe, device: &Device) -> Result<PathBuf> {
    let folder = recipe.output.join("start");
    if folder.join("model.safetensors").is_file() {
        return Ok(folder);
    }
    let vision = Recipe::need("inputs.vision", recipe.inputs.vision.as_ref())?;
    let language = Recipe::need("inputs.language", recipe.inputs.language.as_ref())?;
    let bert = BertTokenizer::from_dir(language.join("qformer_tokenizer"))?;
    let vision_config: EvaVitConfig = read_json(vision.join("config.json"))?;
    let text_config: LlamaConfig = read_json(language.join("config.json"))?;
    let qformer_config = QFormerConfig {
        vocab_size: bert.vocab_size(),
        encoder_hidden_size: vision_config.hidden_size,
        ..Recipe::need("model.qformer", recipe.model.qformer.as_ref())?
    };
    let queries = Recipe::need("model.num_query_tokens", recipe.model.num_query_tokens.as_ref())?;
    let config = InstructBlipConfig {
        image_token_index: TextTokenizer::from_dir(&language)?.token_id("<image>"),
        ..InstructBlipConfig::new(vision_config, qformer_config, text_config)
            .with_num_query_tokens(queries)
    };
    config.validate().map_err(TrainError::pipeline)?;
    let mut network = config.init(device);
    let mut parts = VisionParts {
        vision_model: network.vision_model.clone(),
        ln_vision: network.ln_vision.clone(),
    };
    let strict = Strictness::Strict;
    Checkpoint::open(vision.join("model.safetensors"))?.load(
        &mut parts,
        &KeyMap::IDENTITY,
        strict,
    )?;
    network.vision_model = parts.vision_model;
    network.ln_vision = parts.ln_vision;
    let weights = Checkpoint::open(language.join("model.safetensors"))?;
    weights.load(&mut network.language_model, &KeyMap::IDENTITY, strict)?;
    fs::create_dir_all(&folder).map_err(TrainError::file(&folder))?;
    copy_files(&language, &folder, &TOKENIZERS)?;
    copy_files(&vision, &folder, &["preprocessor_config.json"])?;
    let text = TextTokenizer::from_dir(&folder)?;
    let ids = special_ids(&text);
    let generation = json!({
        "bos_token_id": ids.bos, "eos_token_id": ids.eos, "pad_token_id": ids.pad,
        "max_new_tokens": 160,
    });
    write_json(folder.join("generation_config.json"), &generation)?;
    save_network(&network, &config, ids, DType::F32, &folder).map_err(TrainError::pipeline)?;
    Ok(folder)
}

/// Writes a trained model as a folder that everything else opens: `model` in the output folder.
///
/// # Errors
///
/// [`TrainError`] if a file cannot be read or written.
pub fn save_instruct(
    trained: SoftTokenWriter,
    model: &InstructBlip,
    recipe: &Recipe,
) -> Result<()> {
    let mut model = model.clone();
    trained.put_into(model.network_mut());
    let dtype = recipe.model.precision.dtype();
    model.save_pretrained(recipe.output.join("model"), dtype).map_err(TrainError::pipeline)
}

fn special_ids(text: &TextTokenizer) -> SpecialIds {
    SpecialIds { bos: text.bos_id(), eos: text.eos_id(), pad: text.pad_id() }
}
