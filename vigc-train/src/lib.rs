//! Training of vision-language models: an engine that survives being killed, and the stages that make a model.
//!
//! A [`Recipe`] is a TOML file with all settings of one stage, and [`run_recipe`] runs it. The engine below, [`run`], trains
//! any [`Objective`]. Random choices depend only on the recipe's seed and the micro-step ([`Draw`]), and checkpoints store
//! weights, optimizer state and position. So a run that is killed at any moment and resumed ends with the same weights, bit
//! for bit, as one that was not.
//!
//! # Tutorial
//!
//! Two updates of a tiny image encoder, which learns what every patch of a rendered scene shows:
//!
//! ```
//! use burn::tensor::Device;
//! use vigc_train::{Recipe, Silent, TrainError, metrics, run_recipe};
//!
//! # fn main() -> vigc_train::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let folder = folder.path();
//! let path = folder.join("vision.toml");
//! let text = format!(
//!     r#"
//!     stage = "vision"
//!     seed = 1
//!     output = '{}'
//!     [data]
//!     scenes = {{ split = "train", count = 100 }}
//!     [model.vision]
//!     hidden_size = 16
//!     intermediate_size = 32
//!     num_hidden_layers = 1
//!     num_attention_heads = 2
//!     image_size = 112
//!     patch_size = 14
//!     [optimization]
//!     updates = 2
//!     batch = 4
//!     rate = 1e-3
//!     "#,
//!     folder.join("vision").display()
//! );
//! std::fs::write(&path, text).expect("the folder can be written");
//!
//! let recipe = Recipe::open(&path)?;
//! let outcome = run_recipe(&recipe, &Device::default(), false, &mut Silent)?;
//! assert!(outcome.finished && outcome.updates == 2);
//!
//! // The result, and what was measured on the way.
//! assert!(recipe.output.join("model.safetensors").is_file());
//! let rows = metrics::rows(&recipe.output.join("metrics.jsonl"))?;
//! assert!(rows[1].loss.is_finite() && rows[1].metrics.contains_key("kind"));
//!
//! // The folder has checkpoints, so a second run has to be resumed.
//! let error = run_recipe(&recipe, &Device::default(), false, &mut Silent).unwrap_err();
//! assert!(matches!(error, TrainError::Occupied { .. }));
//! # Ok(())
//! # }
//! ```
//!
//! A program needs a backend: add `vigc-pipeline` with the feature `flex` (CPU) or one of its GPU features.
//!
//! # Stages
//!
//! | stage | trains | on |
//! |---|---|---|
//! | `vision` | the image encoder | what every patch of a rendered scene shows |
//! | `language` | the tokenizers and the language model | texts that follow the facts that they use |
//! | `facts` | Q-Former, queries and projection | the facts of rendered scenes |
//! | `align` | Q-Former, queries and projection | captions and short answers |
//! | `tune` | Q-Former, queries and projection | generation (VIG) and correction (VIC) of instruction data |
//! | `clip` | a LLaVA's image encoder and projector | what every patch of a rendered scene shows |
//! | `finetune` | the connector and the language model of any model | instruction data |
//!
//! # Modules
//!
//! | module | contents |
//! |---|---|
//! | [`recipe`] | the sections of a recipe |
//! | [`stages`] | one module per stage, and [`run_recipe`] |
//! | [`data`] | annotation files and rendered scenes as rows of prompts and answers, and mixtures of them |
//! | [`features`] | image features, computed once and cached |
//! | [`engine`] | [`Objective`] and the training loop |
//! | [`optimizer`] | `AdamW`, the learning rate, gradient clipping |
//! | [`checkpoint`] | checkpoints of a run |
//! | [`metrics`], [`listener`] | what a run measures, on disk and as it happens |
//!
//! # Why not burn-train
//!
//! burn-train writes checkpoints once per epoch and does not store the position in the epoch's data: hours of work and the
//! order of the data would be lost. The engine is built on burn-optim instead. It also lets every micro-batch come from a
//! single data set, as in the upstream program.

pub mod checkpoint;
pub mod data;
pub mod engine;
mod error;
pub mod features;
pub mod listener;
pub mod metrics;
pub mod optimizer;
pub mod recipe;
pub mod stages;
#[cfg(test)]
mod tests;

pub use engine::{Loss, Objective, Outcome, RunOptions, run};
pub use error::{Result, TrainError};
pub use listener::{RunListener, Silent, UpdateReport};
pub use optimizer::Schedule;
pub use recipe::{Recipe, Stage};
pub use stages::{StageOutcome, run_finetuning, run_recipe};
pub use vigc_core::random::{Draw, EpochOrder, Stream};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
