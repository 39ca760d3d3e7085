//! Generation and correction of visual instruction data: VIGC (<https://arxiv.org/abs/2308.12714>).
//!
//! A multimodal model looks at a picture and writes a question with a first answer (**VIG**). Then it corrects the answer step by
//! step (**VIC**): the question and the answer so far go back to the model, which looks at the picture again for exactly that
//! text and writes the next sentence, until the answer ends.
//!
//! # A first run
//!
//! A model is anything that implements [`VisualLm`](visual_lm::VisualLm). [`Vigc`](vigc::Vigc) runs it over pictures and yields one
//! [`Record`](vigc::Record) after the other: a row, a text that is no usable row, or a picture that could not be opened.
//!
//! ```
//! use vigc_pipeline::prelude::*;
//! use vigc_pipeline::vigc::ImageInput;
//!
//! # fn main() -> vigc_pipeline::Result<()> {
//! let device = Device::default();
//! let model = InstructBlip::bundled(&device)?; // needs the feature `mini`
//!
//! // One prompt about one picture.
//! let picture = RgbImage::from_pixel(112, 112, image::Rgb([90, 140, 90]));
//! let images = model.encode(&[picture.clone()])?;
//! let request = Request::new(&images[0], "What is in the picture?");
//! let short = GenerationConfig::greedy().with_max_new_tokens(8);
//! println!("{}", model.generate(&[request], &short)?[0][0].text);
//!
//! // The whole loop, with the picture's file name in the row.
//! let vigc = Vigc::new(&model)
//!     .with_task(Task::Conversation)
//!     .with_decoding(model.generation_config().clone())
//!     .with_correction(Correction::until_end(4));
//! for record in vigc.run([ImageInput::pixels("lawn.png", picture)], 8) {
//!     match record? {
//!         Record::Sample(row) => println!("{}\n  {}\n  {}", row.question, row.draft, row.answer),
//!         Record::Rejected(text) => println!("{}: {}", text.image, text.reason),
//!         Record::Skipped(file) => println!("{}: {}", file.image, file.skipped),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`ImageFolder`](vigc::ImageFolder) finds pictures on disk, and [`Journal`](vigc::Journal) writes rows so that a run that was
//! killed can be resumed.
//!
//! # Where things are
//!
//! | module | what it holds |
//! |---|---|
//! | [`vigc`] | the loop: generation, correction, rows, journals, exports of rows |
//! | [`visual_lm`] | what the loop needs of a model, and a prompt about an image |
//! | [`model`] | the composed model of any architecture: reading, saving, asking |
//! | [`instruct_blip`], [`llava`] | the architectures |
//! | [`any_model`] | a model of whichever architecture its folder says |
//! | [`prompt`] | instructions, templates, and the parser of generated questions and answers |
//! | [`curation`] | from rows to a data set: quality gates, data card, exports |
//! | [`data`] | readers of published annotation files |
//! | [`backend`] | devices by name |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `flex` (default) | the CPU backend with this project's kernels |
//! | `wgpu`, `vulkan`, `metal`, `cuda`, `rocm` | other backends; one is enough |
//! | `mini` | the bundled model, [`InstructBlip::bundled`](instruct_blip::InstructBlip), 9 MB |
//! | `hub` | models from the Hugging Face hub |
//! | `parquet` | data sets with pictures, for the Hugging Face hub |
#![forbid(unsafe_code)]

pub mod any_model;
pub mod backend;
pub mod curation;
pub mod data;
mod error;
pub mod instruct_blip;
pub mod llava;
pub mod model;
pub mod prelude;
pub mod prompt;
pub mod vigc;
pub mod visual_lm;

pub use error::{Error, Result, error_text};
pub use vigc_core as core;
pub use vigc_llm as llm;
pub use vigc_vision as vision;

/// The examples of the READMEs compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../README.md")]
struct Readme;
