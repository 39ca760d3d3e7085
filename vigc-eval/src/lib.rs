#![doc = include_str!("../README.md")]
//!
//! # Suites
//!
//! [`Registry`] opens every suite by its name.
//!
//! | name | paper | module |
//! |---|---|---|
//! | `vqav2` | Goyal et al., "Making the V in VQA Matter", 2017 | [`vqa`] |
//! | `okvqa` | Marino et al., "OK-VQA", 2019 | [`vqa`] |
//! | `aokvqa`, `aokvqa-choice` | Schwenk et al., "A-OKVQA", 2022 | [`vqa`] |
//! | `mmbench` | Liu et al., "MMBench", 2023 | `mmbench` |
//! | `llava-bench` | Liu et al., "Visual Instruction Tuning", 2023 | [`llava_bench`] |
//! | `chair` | Rohrbach et al., "Object Hallucination in Image Captioning", 2018 | [`chair`] |
//! | `pope` | Li et al., "Evaluating Object Hallucination in Large Vision-Language Models", 2023 | [`pope`] |
//! | `scenes` | this project | `scenes` |
//!
//! # Modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`suite`] | what every suite has: queries, an evaluation, and files |
//! | [`answers`] | asking a model, and the files of its answers |
//! | `judge` | a language model that judges answers |
//! | [`interval`] | estimates with confidence intervals |
//! | [`report`] | metrics, tables and samples as text, JSON and HTML |
//!
//! # How to add a benchmark
//!
//! Write a module with a type that implements [`Suite`], describe it as a [`SuiteKind`], and add that to the list in
//! `registry.rs`. The example `evaluate` has it at once. A suite in a crate of your own is added with [`Registry::with`]:
//!
//! ```
//! use std::collections::HashMap;
//!
//! use vigc_eval::answers::{AnswerMode, Query, QueryImage};
//! use vigc_eval::interval::wilson;
//! use vigc_eval::report::{Findings, Metric};
//! use vigc_eval::{Registry, Result, Suite, SuiteKind, SuiteOptions};
//!
//! /// Asks what the images of a folder are called.
//! #[derive(Debug)]
//! struct Names(Vec<std::path::PathBuf>);
//!
//! impl Suite for Names {
//!     fn queries(&self) -> Vec<Query> {
//!         let query = |path: &std::path::PathBuf| Query {
//!             id: path.display().to_string(),
//!             image: QueryImage::File(path.clone()),
//!             prompt: "What is this?".to_owned(),
//!             mode: AnswerMode::Generate,
//!         };
//!         self.0.iter().map(query).collect()
//!     }
//!
//!     fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
//!         let right = answers.iter().filter(|(path, answer)| path.contains(*answer)).count();
//!         let metrics = vec![Metric::share("accuracy", wilson(right, self.0.len()))];
//!         Ok(Findings { metrics, ..Findings::default() })
//!     }
//! }
//!
//! const NAMES: SuiteKind = SuiteKind {
//!     name: "names",
//!     about: "what the images are called",
//!     options: &[],
//!     open: |options| Ok(Box::new(Names(vec![options.images().join("cat.jpg")]))),
//! };
//!
//! let names = Registry::default().with(NAMES).open("names", &SuiteOptions::default())?;
//! let answers = HashMap::from([("cat.jpg".to_owned(), "cat".to_owned())]);
//! assert_eq!(names.evaluate(&answers)?.metrics[0].estimate.value, Some(1.0));
//! # Ok::<(), vigc_eval::Error>(())
//! ```

pub mod answers;
pub mod chair;
mod error;
pub mod interval;
#[cfg(feature = "judge")]
pub mod judge;
pub mod llava_bench;
#[cfg(feature = "mmbench")]
pub mod mmbench;
pub mod pope;
mod registry;
pub mod report;
mod rows;
#[cfg(feature = "scenes")]
pub mod scenes;
pub mod suite;
pub mod vqa;

pub use error::{Error, Place, Result, VocabularyError};
pub use registry::Registry;
pub use suite::{Suite, SuiteKind, SuiteOption, SuiteOptions};
