//! Training: the engine and the four stages that make a model.
pub mod checkpoint;
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

pub use crate::draw::{Draw, EpochOrder, Stream};
pub use engine::{Loss, Objective, Outcome, RunOptions, run};
pub use error::{Result, TrainError};
pub use progress::{Progress, Silent, UpdateReport};
pub use recipe::{Recipe, Stage};
pub use stages::{StageOutcome, run_recipe};
pub use schedule::Schedule;
