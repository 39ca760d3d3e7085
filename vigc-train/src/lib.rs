//! Training: an engine that survives being killed, and the stages that make a model.
//!
//! | stage | learns | from |
//! |---|---|---|
//! | `vision` | the image encoder | what every patch of a rendered scene shows |
//! | `language` | tokenizers and language model | texts behind the facts that they use |
//! | `facts` | Q-Former, queries, projection | what each query is to write, of rendered scenes |
//! | `align` | the same parts | captions and short answers |
//! | `tune` | the same parts | generation (VIG) and correction (VIC) of instruction data |
//! | `clip` | a LLaVA's image encoder and projector | what every patch of a rendered scene shows |
//! | `finetune` | the connector and the language model of any model | instruction data |
//!
//! A [`Recipe`] describes one stage and [`run_recipe`] runs it. Whatever is drawn at random is a
//! function of the recipe's seed and the micro-step ([`Draw`]), and checkpoints hold weights,
//! optimizer and position. So a run that is killed at any moment and resumed ends with the same
//! weights, bit for bit, as one that was not.
//!
//! The engine stands on burn-optim and not on burn-train, whose checkpoints come once per epoch and
//! do not say where in the epoch's data a run stood: hours of work and the order of the data would be
//! lost. It also lets every micro-batch come from one data set, as the reference does.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use vigc_train::{Recipe, Silent, run_recipe};
//!
//! # fn main() -> vigc_train::Result<()> {
//! let recipe = Recipe::open("recipes/mini/01-vision.toml")?;
//! let outcome = run_recipe(&recipe, &Device::default(), true, &mut Silent)?;
//! println!("{} updates", outcome.updates);
//! # Ok(())
//! # }
//! ```

pub mod checkpoint;
pub mod data;
pub mod engine;
mod error;
pub mod features;
pub mod metrics;
pub mod optimizer;
pub mod progress;
pub mod recipe;
mod schedule;
pub mod stages;
#[cfg(test)]
mod tests;

pub use engine::{Loss, Objective, Outcome, RunOptions, run};
pub use error::{Result, TrainError};
pub use progress::{Progress, Silent, UpdateReport};
pub use recipe::{Recipe, Stage};
pub use schedule::Schedule;
pub use stages::{StageOutcome, run_finetuning, run_recipe};
pub use vigc_core::random::{Draw, EpochOrder, Stream};
