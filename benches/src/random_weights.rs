//! Random weights of any size, in memory or as a checkpoint in a folder.
//!
//! A piece of noise is repeated, which is as fast as copying: the numbers are multiplied, and nobody reads the results.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bytes, DType, Device, Tensor, TensorData};
use safetensors::{Dtype, View};
use serde_json::json;
use vigc_pipeline::core::nn::{Linear, LinearConfig, Precision};
use vigc_pipeline::core::weights::{Checkpoint, KeyMap, Strictness};
use vigc_pipeline::instruct_blip::{InstructBlip, InstructBlipConfig, keys};
use vigc_pipeline::llm::llama::LlamaConfig;
use vigc_pipeline::vision::eva_vit::EvaVitConfig;
use vigc_pipeline::vision::qformer::QFormerConfig;

use crate::Result;

/// Least size of a shard, in bytes.
const SHARD: usize = 2_000_000_000;
/// Numbers of the noise: a prime, so that no two rows of a matrix are the same.
const NOISE: usize = 1_000_003;
/// Weights are between plus and minus this.
const WEIGHT: f32 = 0.035;

/// Numbers between -1 and 1.
fn noise() -> &'static [f32] {
    static NUMBERS: OnceLock<Vec<f32>> = OnceLock::new();
    NUMBERS.get_or_init(|| {
        let mut state = 1u64;
        let number = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        std::iter::repeat_with(number).take(NOISE).collect()
    })
}

/// The same numbers as weights: scaled, in bf16.
fn noise_of_weights() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bf16 = |number: &f32| (((WEIGHT * number).to_bits() >> 16) as u16).to_le_bytes();
    BYTES.get_or_init(|| noise().iter().flat_map(bf16).collect())
}

/// Repeats `piece` until there are `len` elements.
fn repeat<T: Copy>(piece: &[T], len: usize) -> Vec<T> {
    let mut all = Vec::with_capacity(len);
    while all.len() < len {
        all.extend_from_slice(&piece[..piece.len().min(len - all.len())]);
    }
    all
}

/// A tensor of numbers between -1 and 1.
#[must_use]
pub fn tensor<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let numbers = repeat(noise(), shape.iter().product());
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

/// A linear layer without bias.
///
/// # Panics
///
/// Panics if the layer does not take weights of its own shape, which would be a bug.
#[must_use]
pub fn linear(precision: Precision, [outputs, inputs]: [usize; 2], device: &Device) -> Linear {
    let config = LinearConfig::new(inputs, outputs).with_bias(false);
    fill(config.clone().with_precision(precision).init(device), &config.init(device))
}

/// Gives a module random weights. They are loaded as from a checkpoint, so that they lie in memory as a real model's do.
///
/// `in_f32` is the same module with f32 weights. Only its names and shapes are used; burn does not draw its weights
/// until they are read.
///
/// # Panics
///
/// Panics if the two modules have different parameters.
#[must_use]
pub fn fill<M: Module>(mut module: M, in_f32: &M) -> M {
    let tensors = parameters(in_f32).into_iter().map(|(name, shape)| {
        let bytes = Bytes::from_bytes_vec(bf16_bytes(&name, shape.iter().product()));
        (name, TensorData::from_bytes(bytes, shape, DType::BF16))
    });
    Checkpoint::from_tensors("random weights", tensors.collect())
        .load(&mut module, &KeyMap::IDENTITY, Strictness::Strict)
        .expect("every parameter has a tensor of its shape");
    module
}

/// The weights of a parameter in bf16.
fn bf16_bytes(name: &str, len: usize) -> Vec<u8> {
    // Norms multiply by their weights: numbers around zero would remove the signal.
    if name.ends_with("weight") && name.to_lowercase().contains("norm") {
        return [0x80, 0x3f].repeat(len);
    }
    repeat(noise_of_weights(), 2 * len)
}

/// Names and shapes of a module's parameters as PyTorch has them. The weights must be f32.
fn parameters<M: Module>(module: &M) -> Vec<(String, Vec<usize>)> {
    let mut names = Names::default();
    module.visit(&mut names);
    names.found
}

#[derive(Default)]
struct Names {
    path: Vec<String>,
    containers: Vec<String>,
    found: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Names {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().to_vec();
        let layer = self.containers.iter().rfind(|container| container.starts_with("Struct:"));
        if layer.is_some_and(|layer| layer == "Struct:Linear") && D == 2 {
            shape.reverse();
        }
        let name = self.path.join(".");
        let name = match name.rsplit_once('.') {
            Some((norm, "gamma")) => format!("{norm}.weight"),
            Some((norm, "beta")) => format!("{norm}.bias"),
            _ => name,
        };
        self.found.push((name, shape));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
        self.containers.pop();
    }
}

/// Fills a folder with a sharded bf16 checkpoint of InstructBLIP 7B in Hugging Face's layout, unless it holds one already.
///
/// `layers` is the number of layers of the language model; Vicuna 7B has 32, which makes 16 GB. Tokenizers and everything
/// else but the weights are vigc-mini's.
///
/// # Errors
///
/// Says which file could not be written.
pub fn write_unless_there(folder: &Path, layers: usize) -> Result<()> {
    let index = folder.join("model.safetensors.index.json");
    if index.is_file() {
        return Ok(());
    }
    let mini = InstructBlip::bundled(&Device::default())?;
    mini.save_pretrained(folder, DType::F32)?;
    fs::remove_file(folder.join("model.safetensors"))?;
    let language = LlamaConfig { num_hidden_layers: layers, ..LlamaConfig::vicuna_7b() };
    let qformer = QFormerConfig { vocab_size: 30_523, ..QFormerConfig::default() };
    let config = InstructBlipConfig::new(EvaVitConfig::default(), qformer, language);
    let mut stored: serde_json::Value = serde_json::to_value(&config)?;
    stored["model_type"] = json!("instructblip");
    fs::write(folder.join("config.json"), serde_json::to_string_pretty(&stored)?)?;
    set_image_size(folder, config.vision_config.image_size)?;
    write_shards(folder, &config, &index)
}

fn set_image_size(folder: &Path, side: usize) -> Result<()> {
    let path = folder.join("processor_config.json");
    let mut processor: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    processor["image_processor"]["size"] = json!({ "height": side, "width": side });
    Ok(fs::write(path, serde_json::to_string_pretty(&processor)?)?)
}

fn write_shards(folder: &Path, config: &InstructBlipConfig, index: &Path) -> Result<()> {
    let mut shards: Vec<Vec<(String, Drawn)>> = vec![Vec::new()];
    let mut room = SHARD;
    for (name, shape) in parameters(&config.init(&Device::default())) {
        let name = keys::TO_HUGGING_FACE.apply(&name);
        let drawn = Drawn { name: name.clone(), shape };
        if room < drawn.data_len() {
            shards.push(Vec::new());
            room = SHARD.max(drawn.data_len());
        }
        room -= drawn.data_len();
        shards.last_mut().ok_or("there is a shard")?.push((name, drawn));
    }
    let mut weight_map = BTreeMap::new();
    let count = shards.len();
    for (number, shard) in shards.into_iter().enumerate() {
        let file = format!("model-{:05}-of-{count:05}.safetensors", number + 1);
        weight_map.extend(shard.iter().map(|(name, _)| (name.clone(), file.clone())));
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize_to_file(shard, Some(format), &folder.join(&file))?;
    }
    let text = serde_json::to_string_pretty(&json!({ "metadata": {}, "weight_map": weight_map }))?;
    Ok(fs::write(index, text)?)
}

/// A tensor whose numbers are made when it is written.
struct Drawn {
    name: String,
    shape: Vec<usize>,
}

impl View for Drawn {
    fn dtype(&self) -> Dtype {
        Dtype::BF16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        bf16_bytes(&self.name, self.shape.iter().product()).into()
    }

    fn data_len(&self) -> usize {
        2 * self.shape.iter().product::<usize>()
    }
}
