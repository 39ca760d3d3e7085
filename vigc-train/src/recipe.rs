//! Recipes: a TOML file with all settings of one stage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::tensor::DType;
use serde::{Deserialize, Serialize};
use vigc_core::nn::Precision;
use vigc_core::random::splitmix64;
use vigc_llm::llama::LlamaConfig;
use vigc_pipeline::model::{LoadOptions, Precisions};
use vigc_vision::clip_vit::ClipVitConfig;
use vigc_vision::eva_vit::EvaVitConfig;
use vigc_vision::qformer::QFormerConfig;

use crate::data::AnnotationFile;
use crate::data::scenes::SceneRange;
use crate::engine::RunOptions;
use crate::error::{Result, TrainError};
use crate::optimizer::{AdamWOptions, Schedule};

/// What a recipe trains, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The image encoder, on labels of every patch of rendered scenes.
    Vision,
    /// The tokenizers and the language model, on texts about scenes.
    Language,
    /// The Q-Former and the projection, on the facts of scenes, as the language model reads them.
    Facts,
    /// The Q-Former and the projection, on captions and short answers.
    Align,
    /// The Q-Former and the projection, on the generation and correction of instruction data.
    Tune,
    /// The image encoder and the projector of a LLaVA, on what each patch of a scene shows.
    Clip,
    /// A model of any architecture, on instruction data.
    // Checkpoints carry a fingerprint of the serialized recipe, so the serialized name stays as it is.
    #[serde(rename(serialize = "llava", deserialize = "finetune"), alias = "llava")]
    Finetune,
}

impl Stage {
    /// The name in recipes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vision => "vision",
            Self::Language => "language",
            Self::Facts => "facts",
            Self::Align => "align",
            Self::Tune => "tune",
            Self::Clip => "clip",
            Self::Finetune => "finetune",
        }
    }
}

/// One stage with all its settings.
///
/// ```
/// let recipe: vigc_train::Recipe = toml::from_str(r#"
///     stage = "vision"
///     output = "out/vision"
///     [model.vision]
///     hidden_size = 64
///     num_hidden_layers = 2
///     [optimization]
///     updates = 100
///     batch = 8
///     rate = 1e-3
/// "#).unwrap();
/// assert_eq!(recipe.optimization.accumulation, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What is trained, and on what.
    pub stage: Stage,
    /// The seed of all random numbers.
    #[serde(default)]
    pub seed: u64,
    /// The folder for checkpoints, metrics and the result.
    pub output: PathBuf,
    /// The results of earlier stages.
    #[serde(default)]
    pub inputs: Inputs,
    /// What is learned from.
    #[serde(default)]
    pub data: DataSection,
    /// The shapes of the trained parts, and how they are trained and stored.
    #[serde(default)]
    pub model: ModelSection,
    /// Rates, sizes and the optimizer. Recipes may also name the section `optimisation`.
    // Checkpoints carry a fingerprint of the serialized recipe, so the serialized name stays as it is.
    #[serde(
        rename(serialize = "optimisation", deserialize = "optimization"),
        alias = "optimisation"
    )]
    pub optimization: Optimization,
    /// Settings that do not change the result: checkpoints and validation.
    #[serde(default)]
    pub run: RunSection,
}

/// The `inputs` section: folders with the results of earlier stages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The output folder of a vision stage.
    pub vision: Option<PathBuf>,
    /// The output folder of a language stage. If `model` is given as well, these weights replace those of its language
    /// model.
    pub language: Option<PathBuf>,
    /// The folder of a complete model to start from.
    pub model: Option<PathBuf>,
}

/// The `data` section: what is learned from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// Rendered scenes.
    pub scenes: Option<SceneRange>,
    /// How often each task of the scenes is drawn, relative to the others, by the task's name.
    pub ratios: BTreeMap<String, f64>,
    /// Annotation files.
    pub files: Vec<AnnotationFile>,
}

/// The `model` section: shapes, with Hugging Face's names, and how parts are trained and stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// The image encoder.
    pub vision: Option<EvaVitConfig>,
    /// The Q-Former. `vocab_size` is the limit for its tokenizer.
    pub qformer: Option<QFormerConfig>,
    /// The language model. `vocab_size` is the limit for its tokenizer.
    pub language: Option<LlamaConfig>,
    /// The number of queries, which is the number of soft tokens.
    pub num_query_tokens: Option<usize>,
    /// How many of the soft tokens, the last ones, are focus tokens: they repeat the facts that matter for the prompt.
    #[serde(default)]
    pub focus_tokens: usize,
    /// Whether an untrained Q-Former with queries and projection replaces that of `inputs.model`.
    #[serde(default)]
    pub new_qformer: bool,
    /// The image encoder of a LLaVA.
    pub clip: Option<ClipVitConfig>,
    /// Which parts the `finetune` stage trains.
    #[serde(default)]
    pub tune: Tune,
    /// The precision of frozen weights in the stages `facts`, `align`, `tune` and `finetune`. The default is f32. With a lower
    /// precision, `finetune` does not merge low-rank updates: it writes only the trained parts, and no `model`.
    pub frozen: Option<Precision>,
    /// The low-rank updates for `tune = "lora"`.
    #[serde(default)]
    pub lora: LoraSection,
    /// The precision in which the result is stored.
    #[serde(default)]
    pub precision: StoragePrecision,
}

/// Which parts of a model the `finetune` stage trains. The image encoder stays frozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tune {
    /// The connector, as in LLaVA's first stage.
    Projector,
    /// The connector and low-rank updates of the language model.
    Lora,
    /// The connector and the language model, as in LLaVA's second stage.
    #[default]
    Full,
}

/// Low-rank updates (<https://arxiv.org/abs/2106.09685>), with the names of LLaVA's scripts and PEFT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraSection {
    /// The rank of the updates.
    pub r: usize,
    /// Updates are scaled by `alpha / r`.
    pub alpha: f32,
    /// The linear layers of each block that get an update.
    pub target_modules: Vec<String>,
}

impl ModelSection {
    /// How to load the model to train: its frozen parts in the precision of the recipe, and its connector in f32.
    pub(crate) fn load_options(&self) -> LoadOptions {
        let precisions =
            |frozen: Precision| Precisions { connector: Precision::F32, ..frozen.into() };
        LoadOptions { precisions: self.frozen.map(precisions), progress: None }
    }
}

impl Default for LoraSection {
    /// The settings of LLaVA's `finetune_lora.sh`.
    fn default() -> Self {
        let layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        Self { r: 128, alpha: 256.0, target_modules: layers.map(str::to_owned).to_vec() }
    }
}

/// The precision in which weights are stored. Frozen weights that were loaded in a lower precision than f32 keep it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoragePrecision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits.
    F16,
}

impl StoragePrecision {
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
        }
    }
}

/// The `optimization` section: rates, sizes and the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimization {
    /// The number of updates of the weights.
    pub updates: u64,
    /// The number of samples in a micro-step.
    pub batch: usize,
    /// The number of micro-steps in an update.
    #[serde(default = "one")]
    pub accumulation: u64,
    /// The learning rate after the warm-up.
    pub rate: f64,
    /// The learning rate at the end.
    #[serde(default)]
    pub min_rate: f64,
    /// The learning rate of the first micro-step of the warm-up.
    #[serde(default = "one_millionth")]
    pub warmup_rate: f64,
    /// The number of micro-steps of warm-up.
    #[serde(default)]
    pub warmup: u64,
    /// The limit for the global norm of the gradients. Without one, gradients are not clipped.
    pub max_grad_norm: Option<f64>,
    /// The constants of the optimizer.
    #[serde(default)]
    pub adamw: AdamWOptions,
}

/// The `run` section: settings that do not change the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunSection {
    /// The number of updates between checkpoints.
    pub checkpoint_updates: u64,
    /// The most minutes between checkpoints.
    pub checkpoint_minutes: f64,
    /// The number of updates between validations; 0 for no validation.
    pub validate_updates: u64,
    /// The number of held-out samples.
    pub validate_samples: usize,
    /// The run stops after this many minutes. It can be resumed.
    pub max_minutes: Option<f64>,
    /// The number of threads that prepare batches.
    pub workers: usize,
}

impl Default for RunSection {
    fn default() -> Self {
        Self {
            checkpoint_updates: 500,
            checkpoint_minutes: 5.0,
            validate_updates: 500,
            validate_samples: 128,
            max_minutes: None,
            workers: 1,
        }
    }
}

fn one() -> u64 {
    1
}

fn one_millionth() -> f64 {
    1e-6
}

impl Recipe {
    /// Reads and validates a recipe.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the file cannot be read, [`TrainError::Recipe`] if it is not a recipe,
    /// [`TrainError::Setting`] if a value is invalid.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
        let recipe: Self = toml::from_str(&text).map_err(|source| TrainError::Recipe {
            path: path.to_owned(),
            source: source.into(),
        })?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Checks the values that the types do not check.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for the first invalid value.
    pub fn validate(&self) -> Result<()> {
        let Optimization { updates, batch, accumulation, rate, .. } = self.optimization;
        let positive = "a positive number";
        for (key, value) in [
            ("optimization.updates", updates),
            ("optimization.batch", batch as u64),
            ("optimization.accumulation", accumulation),
        ] {
            if value == 0 {
                return Err(TrainError::Setting { key, value: "0".to_owned(), expected: positive });
            }
        }
        if rate.is_nan() || rate <= 0.0 {
            let value = rate.to_string();
            return Err(TrainError::Setting {
                key: "optimization.rate",
                value,
                expected: positive,
            });
        }
        self.check_frozen()
    }

    /// Checks that trained parts are in f32.
    fn check_frozen(&self) -> Result<()> {
        let Some(frozen) = self.model.frozen else { return Ok(()) };
        let expected = match self.stage {
            Stage::Facts | Stage::Align | Stage::Tune => return Ok(()),
            Stage::Finetune if self.model.tune != Tune::Full => return Ok(()),
            Stage::Finetune => {
                "no value with `tune = \"full\"`, because trained weights are in f32"
            }
            Stage::Vision | Stage::Language | Stage::Clip => "no value in this stage",
        };
        let value = frozen.name().to_owned();
        Err(TrainError::Setting { key: "model.frozen", value, expected })
    }

    /// The options for [`run`](crate::run).
    #[must_use]
    pub fn run_options(&self) -> RunOptions {
        let Optimization { updates, accumulation, rate, min_rate, warmup_rate, warmup, .. } =
            self.optimization;
        let minutes = |minutes: f64| Duration::from_secs_f64(60.0 * minutes.clamp(0.0, 1e9));
        RunOptions {
            name: self.stage.name().to_owned(),
            folder: self.output.clone(),
            seed: self.seed,
            updates,
            accumulation,
            schedule: Schedule {
                warmup_rate,
                rate,
                min_rate,
                warmup,
                total: updates * accumulation,
            },
            optimizer: self.optimization.adamw,
            max_grad_norm: self.optimization.max_grad_norm,
            checkpoint_updates: self.run.checkpoint_updates,
            checkpoint_every: minutes(self.run.checkpoint_minutes),
            validate_updates: self.run.validate_updates,
            max_time: self.run.max_minutes.map(minutes),
            workers: self.run.workers,
            fingerprint: self.fingerprint(),
        }
    }

    /// A hash of all settings that change the result. A run can be resumed only with the same fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let settings = Self { output: PathBuf::new(), run: RunSection::default(), ..self.clone() };
        let text = serde_json::to_string(&settings).unwrap_or_default();
        let hash = text.bytes().fold(0, |hash, byte| splitmix64(hash ^ u64::from(byte)));
        format!("{hash:016x}")
    }

    /// A value that the stage needs.
    pub(crate) fn need<T: Clone>(key: &'static str, value: Option<&T>) -> Result<T> {
        value.cloned().ok_or(TrainError::Setting {
            key,
            value: "missing".to_owned(),
            expected: "a value",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two recipes as earlier versions wrote them, with the fingerprints that their checkpoints carry.
    const EARLIER: [(&str, &str); 2] = [
        (
            "7e8becb2f3ad1727",
            r#"
            stage = "vision"
            seed = 1
            output = "runs/mini/01-vision"
            [data]
            scenes = { split = "train", count = 4000000 }
            [model.vision]
            hidden_size = 128
            intermediate_size = 512
            num_hidden_layers = 6
            num_attention_heads = 4
            image_size = 112
            patch_size = 14
            layer_norm_eps = 1e-6
            qkv_bias = true
            [optimisation]
            updates = 10000
            batch = 32
            rate = 1e-3
            min_rate = 1e-5
            warmup = 300
            max_grad_norm = 1.0
            [run]
            checkpoint_updates = 500
            "#,
        ),
        (
            "1475274766b9a2ff",
            r#"
            stage = "llava"
            seed = 42
            output = "runs/llava-projector"
            [inputs]
            model = "models/llava-1.5-7b-hf"
            [[data.files]]
            path = "data/coco/annotations/captions_train2017.json"
            images = "data/coco/train2017"
            format = "coco_captions"
            topic = "caption"
            form = "vic"
            ratio = 1
            [model]
            tune = "projector"
            frozen = "bf16"
            [optimisation]
            updates = 2180
            batch = 4
            accumulation = 64
            rate = 1e-3
            warmup = 4186
            adamw = { weight_decay = 0.0 }
            "#,
        ),
    ];

    #[test]
    fn earlier_runs_can_be_resumed_with_old_and_new_names() {
        for (fingerprint, old) in EARLIER {
            let new = old.replace("[optimisation]", "[optimization]");
            let new = new.replace(r#"stage = "llava""#, r#"stage = "finetune""#);
            assert_ne!(old, new);
            for text in [old, &new] {
                let recipe: Recipe = toml::from_str(text).unwrap();
                assert_eq!(recipe.fingerprint(), fingerprint, "{text}");
            }
        }
    }
}
