//! Asking a model the questions of a suite, and the files of its answers.
//!
//! A [`QueryRunner`] takes a list of [`Query`] to a [`VisualLm`](vigc_pipeline::vigc::VisualLm), and an
//! [`AnswerJournal`] keeps every answer, so that an interrupted run continues where it stopped.
//! [`Answers::read`] reads answers that another program wrote.

mod files;
mod query;
mod runner;

pub use files::{AnswerJournal, AnswerKeys};
pub use query::{AnswerMode, Answers, Failure, Query, QueryImage, RunnerSettings};
pub use runner::QueryRunner;
