//! Pretraining of a LLaVA's image encoder and projector: every patch learns to write what it shows.
//!
//! CLIP is trained on pictures with texts. At this small scale, the texts describe single patches: the projector learns to
//! write the embedding bag of the object that a patch shows, which the language model can read, and linear heads on the
//! encoder's states help. The encoder starts from the weights of an InstructBLIP's encoder, whose layers have the same form.
//! The norm before its first layer is new.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use vigc_core::nn::LayerNorm;
use vigc_core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_vision::clip_vit::{ClipVit, ClipVitConfig};
use vigc_vision::image::{ClipImageProcessor, ClipImageProcessorConfig};

use super::fact_slots::FactTable;
use super::patches::{PatchBatch, PatchHeads, PatchScenes, Shown};
use crate::data::scenes::fact;
use crate::engine::{Loss, Objective};
use crate::error::{Result, TrainError};
use crate::recipe::Recipe;
use vigc_core::random::Draw;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llava::{Llava, LlavaConfig, Projector, Template, square_processor};
use vigc_pipeline::model::ModelParts;

/// The image encoder and the projector, with a norm and heads that are used in training only.
#[derive(Module, Debug)]
pub struct ClipModel {
    /// The image encoder.
    pub vision_tower: ClipVit,
    /// The projector from the encoder's width to the language model's.
    pub multi_modal_projector: Projector,
    norm: LayerNorm,
    heads: PatchHeads,
}

impl ClipModel {
    /// A model whose encoder starts from the weights of another model's encoder.
    ///
    /// # Errors
    ///
    /// [`TrainError::Core`] if that encoder has another shape.
    pub fn new(config: &LlavaConfig, weights: &Path, device: &Device) -> Result<Self> {
        let network = config.init(device);
        let ClipVitConfig { hidden_size, layer_norm_eps, .. } = config.vision_config;
        let mut model = Self {
            vision_tower: network.image_encoder.vision_tower,
            multi_modal_projector: network.connector,
            norm: LayerNorm::new(hidden_size, layer_norm_eps, device),
            heads: PatchHeads::new(hidden_size, device),
        };
        let beginning = from_eva(&config.vision_config, &Checkpoint::open(weights)?)?;
        beginning.load(&mut model.vision_tower, &KeyMap::IDENTITY, Strictness::Strict)?;
        Ok(model)
    }
}

/// The weights of an EVA ViT as weights of a CLIP ViT: the fused projection is split in three, and the bias of the patch
/// embedding is added to the position embedding.
fn from_eva(config: &ClipVitConfig, eva: &Checkpoint) -> Result<Checkpoint> {
    let read = |name: &str| {
        let name = format!("vision_model.{name}");
        let shape = eva.shape(&name).map(<[usize]>::to_vec).unwrap_or_default();
        let device = Device::default();
        let data = match shape.len() {
            1 => eva.tensor::<1>(&name, &device)?.into_data(),
            2 => eva.tensor::<2>(&name, &device)?.into_data(),
            3 => eva.tensor::<3>(&name, &device)?.into_data(),
            _ => eva.tensor::<4>(&name, &device)?.into_data(),
        };
        Ok::<_, TrainError>((data.iter::<f32>().collect::<Vec<_>>(), shape))
    };
    let mut tensors = Vec::new();
    let mut put = |name: String, values: Vec<f32>, shape: &[usize]| {
        tensors.push((name, TensorData::new(values, shape.to_vec())));
    };
    let width = config.hidden_size;
    let (class, _) = read("embeddings.class_embedding")?;
    put("embeddings.class_embedding".to_owned(), class, &[width]);
    let (patches, shape) = read("embeddings.patch_embedding.weight")?;
    put("embeddings.patch_embedding.weight".to_owned(), patches, &shape);
    let (bias, _) = read("embeddings.patch_embedding.bias")?;
    let (mut positions, shape) = read("embeddings.position_embedding")?;
    for row in positions.chunks_exact_mut(width).skip(1) {
        row.iter_mut().zip(&bias).for_each(|(value, bias)| *value += bias);
    }
    put("embeddings.position_embedding.weight".to_owned(), positions, &shape[1..]);
    put("pre_layrnorm.weight".to_owned(), vec![1.0; width], &[width]);
    put("pre_layrnorm.bias".to_owned(), vec![0.0; width], &[width]);
    for part in ["weight", "bias"] {
        let (values, shape) = read(&format!("post_layernorm.{part}"))?;
        put(format!("post_layernorm.{part}"), values, &shape);
        for layer in (0..config.num_hidden_layers).map(|layer| format!("encoder.layers.{layer}")) {
            for name in ["layer_norm1", "layer_norm2", "mlp.fc1", "mlp.fc2"] {
                let name = format!("{layer}.{name}.{part}");
                let (values, shape) = read(&name)?;
                put(name, values, &shape);
            }
            let (values, shape) = read(&format!("{layer}.self_attn.projection.{part}"))?;
            put(format!("{layer}.self_attn.out_proj.{part}"), values, &shape);
            let (values, mut shape) = read(&format!("{layer}.self_attn.qkv.{part}"))?;
            shape[0] /= 3;
            for (name, values) in ["q", "k", "v"].iter().zip(values.chunks(values.len() / 3)) {
                put(format!("{layer}.self_attn.{name}_proj.{part}"), values.to_vec(), &shape);
            }
        }
    }
    Ok(Checkpoint::from_tensors(&eva.path().to_string_lossy(), tensors))
}

/// Writing what every patch of a rendered scene shows.
#[derive(Debug)]
pub struct ClipObjective {
    scenes: PatchScenes<ClipImageProcessor>,
    bags: FactTable,
}

impl ClipObjective {
    /// The objective of a recipe around the language model of `model`.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the recipe has no scenes, or a text cannot be tokenized.
    pub fn new(recipe: &Recipe, config: &LlavaConfig, model: &InstructBlip) -> Result<Self> {
        let ClipVitConfig { image_size, patch_size, .. } = config.vision_config;
        let side = u32::try_from(image_size).unwrap_or(u32::MAX);
        let processor = ClipImageProcessor::new(ClipImageProcessorConfig::square(side))?;
        let scenes = PatchScenes::new(recipe, processor, [image_size, patch_size])?;
        Ok(Self { scenes, bags: FactTable::new(model)? })
    }

    /// The embedding bags that the patches should write, `[batch, patches, hidden]`.
    fn bags(&self, batch: &PatchBatch) -> Tensor<3> {
        let row = |shown: &Shown| match *shown {
            Shown::Object(size, color, kind, cell) => self.bags.row(&fact(size, color, kind, cell)),
            Shown::Background(background) => self.bags.row(background.name()),
        };
        let rows = batch.shown.iter().map(|shown| i32::try_from(row(shown)).unwrap_or(i32::MAX));
        let rows = TensorData::new(rows.collect::<Vec<_>>(), [batch.shown.len()]);
        let table = &self.bags.table;
        let rows = Tensor::<1, Int>::from_data(rows, &table.device());
        let [_, hidden] = table.dims();
        let patches = batch.shown.len() / batch.images();
        table.clone().select(0, rows).reshape([batch.images(), patches, hidden])
    }
}

impl Objective for ClipObjective {
    type Model = ClipModel;
    type Batch = PatchBatch;

    fn batch(&self, draw: Draw) -> Result<PatchBatch> {
        Ok(self.scenes.draw(draw))
    }

    fn held_out(&self) -> Result<Vec<PatchBatch>> {
        Ok(self.scenes.held_out())
    }

    fn loss(&self, model: &ClipModel, mut batch: PatchBatch) -> Result<Loss> {
        let pixels = batch.pixels(self.scenes.side, &model.norm.gamma.device());
        let states = model.vision_tower.forward(pixels);
        let (heads, mut metrics) = model.heads.loss(model.norm.forward(states.clone()), &batch);
        let [_, positions, _] = states.dims();
        let patches = states.narrow(1, 1, positions - 1);
        let off = model.multi_modal_projector.forward(patches) - self.bags(&batch);
        let scale = self.bags.table.clone().powi_scalar(2).mean();
        let off = off.powi_scalar(2).mean() / scale;
        metrics.push(("off".to_owned(), f64::from(off.clone().detach().into_scalar::<f32>())));
        Ok(Loss { loss: heads + off.mul_scalar(4.0), samples: batch.images(), metrics })
    }
}

/// The configuration of the recipe's LLaVA, which gets the language model of an InstructBLIP.
///
/// # Errors
///
/// [`TrainError::Setting`] if the recipe has no `model.clip` or one of another shape, [`TrainError::Model`] if the parts do not
/// fit together.
pub fn llava_config(recipe: &Recipe, model: &InstructBlip) -> Result<LlavaConfig> {
    let vision = Recipe::need("model.clip", recipe.model.clip.as_ref())?;
    let eva = &model.config().vision_config;
    let clips = [vision.hidden_size, vision.intermediate_size, vision.num_attention_heads];
    let evas = [eva.hidden_size, eva.intermediate_size, eva.num_attention_heads];
    let is_like = (clips, vision.image_size, vision.patch_size)
        == (evas, eva.image_size, eva.patch_size)
        && vision.num_hidden_layers <= eva.num_hidden_layers;
    if !is_like {
        let shape = "the shape of the encoder of `inputs.model`, with as many layers or fewer";
        let value = format!("{vision:?}");
        return Err(TrainError::Setting { key: "model.clip", value, expected: shape });
    }
    let image = model.text_tokenizer().token_id(vigc_pipeline::llava::IMAGE).ok_or(
        TrainError::Setting {
            key: "inputs.model",
            value: model.name().to_owned(),
            expected: "a model whose tokenizer has the token <image>",
        },
    )?;
    let config = LlavaConfig {
        template: Template::UserAssistant,
        ..LlavaConfig::new(vision, model.config().text_config.clone(), image)
    };
    config.validate().map_err(TrainError::pipeline)?;
    Ok(config)
}

/// Writes a LLaVA with the trained parts to `model` in the output folder.
///
/// # Errors
///
/// [`TrainError`] if a file cannot be written.
pub fn save_clip(
    trained: ClipModel,
    config: LlavaConfig,
    model: &InstructBlip,
    recipe: &Recipe,
) -> Result<()> {
    let mut network = config.init(model.device());
    network.image_encoder.vision_tower = trained.vision_tower;
    network.connector = trained.multi_modal_projector;
    network.language_model = model.network().language_model.clone();
    let around = model.parts();
    let parts = ModelParts {
        name: "llava".to_owned(),
        processor: square_processor(config.vision_config.image_size)
            .map_err(TrainError::pipeline)?,
        config,
        text_tokenizer: around.text_tokenizer.clone(),
        generation: around.generation.clone(),
        tokenizer_files: around.tokenizer_files.of_language_model(),
    };
    let llava = Llava::new(parts, network, model.device()).map_err(TrainError::pipeline)?;
    let dtype = recipe.model.precision.dtype();
    llava.save_pretrained(recipe.output.join("model"), dtype).map_err(TrainError::pipeline)
}
