//! Recipes: one TOML file says everything about one stage.

use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::tensor::DType;
use serde::{Deserialize, Serialize};
use vigc_llm::llama::LlamaConfig;
use vigc_vision::clip_vit::ClipVitConfig;
use vigc_vision::eva_vit::EvaVitConfig;
use vigc_vision::qformer::QFormerConfig;

use super::engine::RunOptions;
use super::error::{Result, TrainError};
use super::optimizer::AdamWOptions;
use super::schedule::Schedule;
use crate::data::DataSection;
use vigc_core::random::splitmix64;
use vigc_pipeline::instruct_blip::{LoadOptions, Precisions};

/// What a recipe trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The image encoder, on dense labels of rendered scenes.
    Vision,
    /// The tokenizers and the language model, on texts.
    Language,
    /// The Q-Former and the projection, on the facts that the language model can read.
    Facts,
    /// The same parts, on captions and answers.
    Align,
    /// The same parts, on the generation and correction of instruction data.
    Tune,
    /// The image encoder and the projector of a LLaVA, on what each patch shows.
    Clip,
    /// A LLaVA, on instruction data.
    Llava,
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
            Self::Llava => "llava",
        }
    }
}

/// A stage with all its settings.
///
/// ```
/// let recipe: vigc_train::Recipe = toml::from_str(r#"
///     stage = "vision"
///     output = "out/vision"
///     [model.vision]
///     hidden_size = 64
///     num_hidden_layers = 2
///     [optimisation]
///     updates = 100
///     batch = 8
///     rate = 1e-3
/// "#).unwrap();
/// assert_eq!(recipe.optimisation.accumulation, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What is trained.
    pub stage: Stage,
    /// The seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// The folder that checkpoints, measurements and the result are written to.
    pub output: PathBuf,
    /// Results of earlier stages.
    #[serde(default)]
    pub inputs: Inputs,
    /// What is learned from.
    #[serde(default)]
    pub data: DataSection,
    /// The shape of what is trained.
    #[serde(default)]
    pub model: ModelSection,
    /// How it is optimised.
    pub optimisation: Optimisation,
    /// What does not change the result: checkpoints and measurements.
    #[serde(default)]
    pub run: RunSection,
}

/// Folders of earlier stages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Where a vision stage wrote its result.
    pub vision: Option<PathBuf>,
    /// Where a language stage wrote its result. Beside `model`, its weights take the place of those of
    /// the model's language model.
    pub language: Option<PathBuf>,
    /// A whole model to go on from.
    pub model: Option<PathBuf>,
}

/// Shapes, with Hugging Face's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// The image encoder.
    pub vision: Option<EvaVitConfig>,
    /// The Q-Former. Its vocabulary is the largest that its tokenizer may have.
    pub qformer: Option<QFormerConfig>,
    /// The language model. Its vocabulary is the largest that its tokenizer may have.
    pub language: Option<LlamaConfig>,
    /// The number of soft tokens.
    pub num_query_tokens: Option<usize>,
    /// How many of them, the last ones, tell again what the prompt makes one look at.
    #[serde(default)]
    pub focus_tokens: usize,
    /// Whether an untrained Q-Former, with queries and projection, takes the place of that of `inputs.model`.
    #[serde(default)]
    pub new_qformer: bool,
    /// The image encoder of a LLaVA.
    pub clip: Option<ClipVitConfig>,
    /// What of a LLaVA is trained.
    #[serde(default)]
    pub tune: Tune,
    /// What frozen weights of the stages `facts`, `align`, `tune` and `llava` are kept in; f32 unless said. With less, low-rank
    /// updates are not added to a LLaVA's: only what was trained is written, and no `model`.
    pub frozen: Option<vigc_core::nn::Precision>,
    /// The updates that `tune = "lora"` trains.
    #[serde(default)]
    pub lora: LoraSection,
    /// What the result is stored in.
    #[serde(default)]
    pub precision: Precision,
}

/// What of a LLaVA is trained; its image encoder never is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tune {
    /// The projector, as in LLaVA's first stage.
    Projector,
    /// The projector and low-rank updates of the language model.
    Lora,
    /// The projector and the language model, as in LLaVA's second stage.
    #[default]
    Full,
}

/// Low-rank updates, named as in LLaVA's scripts and PEFT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraSection {
    /// The rank of an update.
    pub r: usize,
    /// Updates are scaled by this over the rank.
    pub alpha: f32,
    /// The linear layers of every block that get an update.
    pub target_modules: Vec<String>,
}

impl ModelSection {
    /// How the model is read whose frozen parts these are: what lies between them is trained, in f32.
    pub(crate) fn load_options(&self) -> LoadOptions {
        let between = |frozen: vigc_core::nn::Precision| Precisions {
            qformer: vigc_core::nn::Precision::F32,
            ..frozen.into()
        };
        LoadOptions { precisions: self.frozen.map(between), progress: None }
    }
}

impl Default for LoraSection {
    /// What LLaVA's `finetune_lora.sh` sets.
    fn default() -> Self {
        let layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        Self { r: 128, alpha: 256.0, target_modules: layers.map(str::to_owned).to_vec() }
    }
}

/// What weights are stored in, but for frozen ones that are kept in less than f32, which stay what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Four bytes per number.
    #[default]
    F32,
    /// Two bytes per number.
    F16,
}

impl Precision {
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
        }
    }
}

/// Rates, sizes and the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimisation {
    /// Updates of the weights.
    pub updates: u64,
    /// Samples per micro-step.
    pub batch: usize,
    /// Micro-steps per update.
    #[serde(default = "one")]
    pub accumulation: u64,
    /// The learning rate after the warm-up.
    pub rate: f64,
    /// The rate at the end.
    #[serde(default)]
    pub min_rate: f64,
    /// The rate of the first micro-step.
    #[serde(default = "one_millionth")]
    pub warmup_rate: f64,
    /// Micro-steps of warm-up.
    #[serde(default)]
    pub warmup: u64,
    /// The bound on the gradient's norm.
    pub max_grad_norm: Option<f64>,
    /// The optimizer's constants.
    #[serde(default)]
    pub adamw: AdamWOptions,
}

/// What does not change the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunSection {
    /// A checkpoint every so many updates,
    pub checkpoint_updates: u64,
    /// and every so many minutes.
    pub checkpoint_minutes: f64,
    /// Held-out data is measured every so many updates; never for 0.
    pub validate_updates: u64,
    /// Held-out samples.
    pub validate_samples: usize,
    /// Stops after so many minutes; resuming goes on.
    pub max_minutes: Option<f64>,
    /// Threads that prepare batches.
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
    /// Reads a recipe.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the file cannot be read, [`TrainError::Recipe`] if it does not hold a
    /// recipe, [`TrainError::Setting`] if a value makes no sense.
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

    /// Checks what the engine relies on.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for the first value that makes no sense.
    pub fn validate(&self) -> Result<()> {
        let Optimisation { updates, batch, accumulation, rate, .. } = self.optimisation;
        let positive = "a positive number";
        for (key, value) in [
            ("optimisation.updates", updates),
            ("optimisation.batch", batch as u64),
            ("optimisation.accumulation", accumulation),
        ] {
            if value == 0 {
                return Err(TrainError::Setting { key, value: "0".to_owned(), expected: positive });
            }
        }
        if rate.is_nan() || rate <= 0.0 {
            let value = rate.to_string();
            return Err(TrainError::Setting {
                key: "optimisation.rate",
                value,
                expected: positive,
            });
        }
        self.check_frozen()
    }

    /// Nothing that is trained may be kept in less than f32.
    fn check_frozen(&self) -> Result<()> {
        let Some(frozen) = self.model.frozen else { return Ok(()) };
        let expected = match self.stage {
            Stage::Facts | Stage::Align | Stage::Tune => return Ok(()),
            Stage::Llava if self.model.tune != Tune::Full => return Ok(()),
            Stage::Llava => "nothing where tune is full: what is trained is in f32",
            Stage::Vision | Stage::Language | Stage::Clip => "nothing in this stage",
        };
        let value = frozen.name().to_owned();
        Err(TrainError::Setting { key: "model.frozen", value, expected })
    }

    /// The options of the engine.
    #[must_use]
    pub fn run_options(&self) -> RunOptions {
        let Optimisation { updates, accumulation, rate, min_rate, warmup_rate, warmup, .. } =
            self.optimisation;
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
            optimizer: self.optimisation.adamw,
            max_grad_norm: self.optimisation.max_grad_norm,
            checkpoint_updates: self.run.checkpoint_updates,
            checkpoint_every: minutes(self.run.checkpoint_minutes),
            validate_updates: self.run.validate_updates,
            max_time: self.run.max_minutes.map(minutes),
            workers: self.run.workers,
            fingerprint: self.fingerprint(),
        }
    }

    /// A short name for everything that changes the result.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let settings = Self { output: PathBuf::new(), run: RunSection::default(), ..self.clone() };
        let text = serde_json::to_string(&settings).unwrap_or_default();
        let hash = text.bytes().fold(0, |hash, byte| splitmix64(hash ^ u64::from(byte)));
        format!("{hash:016x}")
    }

    /// A section that the stage needs.
    pub(crate) fn need<T: Clone>(key: &'static str, value: Option<&T>) -> Result<T> {
        value.cloned().ok_or(TrainError::Setting {
            key,
            value: "missing".to_owned(),
            expected: "a value",
        })
    }
}
