//! Checkpoints of the real size, with random weights.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use safetensors::{Dtype, View};
use serde_json::json;
use vigc_pipeline::instruct_blip::{InstructBlip, InstructBlipConfig, keys};
use vigc_pipeline::llm::llama::LlamaConfig;
use vigc_pipeline::vision::eva_vit::EvaVitConfig;
use vigc_pipeline::vision::qformer::QFormerConfig;

use super::Result;

/// Bytes of a shard, at least.
const SHARD: usize = 2_000_000_000;

/// Which model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Mini,
    SevenB,
    ThirteenB,
    /// Seven billion's width with so many layers of the language model.
    Layers(usize),
}

impl FromStr for Size {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "mini" => Ok(Self::Mini),
            "7b" => Ok(Self::SevenB),
            "13b" => Ok(Self::ThirteenB),
            other => {
                let layers = other.strip_prefix("7b-").and_then(|layers| layers.parse().ok());
                let error =
                    || format!("there is no size {other}, expected mini, 7b, 7b-LAYERS or 13b");
                layers.map(Self::Layers).ok_or_else(error)
            }
        }
    }
}

impl Size {
    fn config(self, mini: &InstructBlip) -> InstructBlipConfig {
        let language = match self {
            Self::Mini => return mini.config().clone(),
            Self::SevenB => LlamaConfig::vicuna_7b(),
            Self::ThirteenB => LlamaConfig::vicuna_13b(),
            Self::Layers(layers) => {
                LlamaConfig { num_hidden_layers: layers, ..LlamaConfig::vicuna_7b() }
            }
        };
        let qformer = QFormerConfig { vocab_size: 30_523, ..QFormerConfig::default() };
        InstructBlipConfig::new(EvaVitConfig::default(), qformer, language)
    }
}

/// Fills a folder, unless it holds a checkpoint already; returns the bytes of its weights.
pub(super) fn write_unless_there(folder: &Path, size: Size) -> Result<u64> {
    let index = folder.join("model.safetensors.index.json");
    if !index.is_file() {
        // Tokenizers and everything else but the weights are vigc-mini's.
        let mini = InstructBlip::bundled(&Device::default())?;
        mini.save_pretrained(folder, burn::tensor::DType::F32)?;
        fs::remove_file(folder.join("model.safetensors"))?;
        let config = size.config(&mini);
        let mut stored: serde_json::Value = serde_json::to_value(&config)?;
        stored["model_type"] = json!("instructblip");
        fs::write(folder.join("config.json"), serde_json::to_string_pretty(&stored)?)?;
        set_picture_size(folder, config.vision_config.image_size)?;
        write_shards(folder, &config, &index)?;
    }
    let shards = fs::read_dir(folder)?.filter_map(std::result::Result::ok);
    let weights =
        shards.filter(|file| file.path().extension().is_some_and(|it| it == "safetensors"));
    Ok(weights.map(|file| file.metadata().map_or(0, |file| file.len())).sum())
}

fn set_picture_size(folder: &Path, side: usize) -> Result<()> {
    let path = folder.join("processor_config.json");
    let mut processor: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    processor["image_processor"]["size"] = json!({ "height": side, "width": side });
    Ok(fs::write(path, serde_json::to_string_pretty(&processor)?)?)
}

fn write_shards(folder: &Path, config: &InstructBlipConfig, index: &Path) -> Result<()> {
    let mut names = Names::default();
    // Nothing is drawn: parameters are made when they are looked at.
    config.init(&Device::default()).visit(&mut names);
    let noise = Noise::new();
    let mut shards: Vec<Vec<(String, Drawn<'_>)>> = vec![Vec::new()];
    let mut room = SHARD;
    for (name, shape) in names.found {
        let drawn = Drawn { ones: is_scale(&name), shape, noise: &noise };
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
        println!("writing {file}");
        weight_map.extend(shard.iter().map(|(name, _)| (name.clone(), file.clone())));
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize_to_file(shard, Some(format), &folder.join(&file))?;
    }
    let text = serde_json::to_string_pretty(&json!({ "metadata": {}, "weight_map": weight_map }))?;
    Ok(fs::write(index, text)?)
}

/// Whether a tensor scales what a norm gives, which random numbers around zero would put out.
fn is_scale(name: &str) -> bool {
    name.ends_with("weight") && name.to_lowercase().contains("norm")
}

/// Names and shapes as Hugging Face has them.
#[derive(Default)]
struct Names {
    path: Vec<String>,
    layers: Vec<String>,
    found: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Names {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().to_vec();
        let layer = self.layers.iter().rfind(|layer| layer.starts_with("Struct:"));
        if layer.is_some_and(|layer| layer == "Struct:Linear") && D == 2 {
            shape.reverse();
        }
        let name = keys::TO_HUGGING_FACE.apply(&self.path.join("."));
        let name = name.replace(".gamma", ".weight").replace(".beta", ".bias");
        self.found.push((name, shape));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(name.to_owned());
        self.layers.push(container.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
        self.layers.pop();
    }
}

/// A piece of noise between -0.035 and 0.035 in bf16, repeated: its numbers are to be multiplied, not to be read.
struct Noise(Vec<u8>);

impl Noise {
    fn new() -> Self {
        let mut state = 1u64;
        let mut number = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let uniform = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
            ((0.035 * uniform).to_bits() >> 16) as u16
        };
        // A prime, so that no row of a matrix is another's.
        Self((0..1_000_003).flat_map(|_| number().to_le_bytes()).collect())
    }
}

/// A tensor that is drawn when it is written.
struct Drawn<'a> {
    ones: bool,
    shape: Vec<usize>,
    noise: &'a Noise,
}

impl View for Drawn<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::BF16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        if self.ones {
            return [0x80, 0x3f].repeat(self.data_len() / 2).into();
        }
        self.noise.0.iter().copied().cycle().take(self.data_len()).collect::<Vec<_>>().into()
    }

    fn data_len(&self) -> usize {
        2 * self.shape.iter().product::<usize>()
    }
}
