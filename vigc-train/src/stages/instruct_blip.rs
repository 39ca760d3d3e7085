//! The InstructBLIP that a recipe starts from: a trained one, or an untrained one with the results of earlier stages.

use std::path::PathBuf;

use burn::tensor::{DType, Device};
use vigc_core::files::read_json;
use vigc_core::nn::Precision;
use vigc_core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_llm::generation::GenerationConfig;
use vigc_llm::llama::LlamaConfig;
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};
use vigc_pipeline::instruct_blip::{InstructBlip, InstructBlipConfig, InstructBlipProcessor};
use vigc_pipeline::model::{ModelParts, TokenizerFiles};
use vigc_vision::eva_vit::EvaVitConfig;
use vigc_vision::image::BlipImageProcessor;
use vigc_vision::qformer::QFormerConfig;

use super::vision::VisionParts;
use crate::error::{Result, TrainError};
use crate::recipe::Recipe;

/// The model that a recipe starts from, and its folder: `inputs.model`, or an untrained model with the results of
/// `inputs.vision` and `inputs.language`.
///
/// # Errors
///
/// [`TrainError`] if the recipe has none of these inputs, a file cannot be read, or the Q-Former is not in f32.
pub fn starting_model(recipe: &Recipe, device: &Device) -> Result<(PathBuf, InstructBlip)> {
    let folder = match &recipe.inputs.model {
        Some(folder) => folder.clone(),
        None => assemble(recipe, device)?,
    };
    let options = recipe.model.load_options();
    let mut model =
        InstructBlip::from_dir_with(&folder, device, &options).map_err(TrainError::pipeline)?;
    let trained = model.config().precisions.connector;
    if trained != Precision::F32 {
        let (key, value) = ("inputs.model", format!("a model whose Q-Former is in {trained}"));
        let expected = "a model whose Q-Former is in f32, so that it can be trained";
        return Err(TrainError::Setting { key, value, expected });
    }
    if recipe.model.new_qformer {
        model.network_mut().connector = model.config().init(device).connector;
    }
    if let (Some(_), Some(language)) = (&recipe.inputs.model, &recipe.inputs.language) {
        let weights = Checkpoint::open(language.join("model.safetensors"))?;
        let llama = &mut model.network_mut().language_model;
        weights.load(llama, &KeyMap::IDENTITY, Strictness::Strict)?;
    }
    Ok((folder, model))
}

/// Writes an untrained model with the results of the vision and the language stage.
fn assemble(recipe: &Recipe, device: &Device) -> Result<PathBuf> {
    let folder = recipe.output.join("start");
    if folder.join("model.safetensors").is_file() {
        return Ok(folder);
    }
    let vision = Recipe::need("inputs.vision", recipe.inputs.vision.as_ref())?;
    let language = Recipe::need("inputs.language", recipe.inputs.language.as_ref())?;
    let bert = BertTokenizer::from_dir(language.join("qformer_tokenizer"))?;
    let text_tokenizer = TextTokenizer::from_dir(&language)?;
    let vision_config: EvaVitConfig = read_json(vision.join("config.json"))?;
    let text_config: LlamaConfig = read_json(language.join("config.json"))?;
    let qformer_config = QFormerConfig {
        vocab_size: bert.vocab_size(),
        encoder_hidden_size: vision_config.hidden_size,
        ..Recipe::need("model.qformer", recipe.model.qformer.as_ref())?
    };
    let queries = Recipe::need("model.num_query_tokens", recipe.model.num_query_tokens.as_ref())?;
    let config = InstructBlipConfig {
        image_token_index: text_tokenizer.token_id("<image>"),
        ..InstructBlipConfig::new(vision_config, qformer_config, text_config)
            .with_num_query_tokens(queries)
    };
    config.validate().map_err(TrainError::pipeline)?;
    let mut network = config.init(device);
    let mut parts = VisionParts {
        vision_model: network.image_encoder.vision_model.clone(),
        ln_vision: network.image_encoder.ln_vision.clone(),
    };
    let strict = Strictness::Strict;
    Checkpoint::open(vision.join("model.safetensors"))?.load(
        &mut parts,
        &KeyMap::IDENTITY,
        strict,
    )?;
    network.image_encoder.vision_model = parts.vision_model;
    network.image_encoder.ln_vision = parts.ln_vision;
    let weights = Checkpoint::open(language.join("model.safetensors"))?;
    weights.load(&mut network.language_model, &KeyMap::IDENTITY, strict)?;
    let images = BlipImageProcessor::from_dir(&vision)?;
    let parts = ModelParts {
        name: "start".to_owned(),
        processor: InstructBlipProcessor::new(images, bert, &config, text_tokenizer.bos_id()),
        config,
        text_tokenizer,
        generation: GenerationConfig::greedy().with_max_new_tokens(160),
        tokenizer_files: TokenizerFiles::read(&language).map_err(TrainError::pipeline)?,
    };
    let model = InstructBlip::new(parts, network, device).map_err(TrainError::pipeline)?;
    model.save_pretrained(&folder, DType::F32).map_err(TrainError::pipeline)?;
    Ok(folder)
}
