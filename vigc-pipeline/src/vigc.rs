//! VIG and VIC: questions and answers about images, generated and then corrected.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Vigc`] | many images, several tasks, shared batches |
//! | [`Dialogue`], [`Vic`], [`UpstreamLoop`] | one sample: prompts out, texts in |
//! | [`sentence`], [`diff`] | where sentences end, and what a correction changed |
//! | [`Journal`], [`export`] | JSONL that can be resumed, and the formats of others |
//! | [`two_stage`], [`rank`] | OKVQA and A-OKVQA: questions, then answers; choices |
//!
//! The image is encoded once; what follows is text. A [`Dialogue`] can therefore be driven by hand:
//!
//! ```
//! use vigc_pipeline::prompt::Task;
//! use vigc_llm::generation::Generated;
//! use vigc_pipeline::vigc::{Correction, Dialogue};
//!
//! let model = |prompt: &str| match prompt {
//!     "What is it?" => "A cat sits on a mat.",
//!     prompt if prompt.ends_with('.') && prompt.contains("mat") => "",
//!     _ => "Question: What is it? Answer: A dog sits on a mat.",
//! };
//! let correction = Correction::until_end(4).with_style(vigc_pipeline::vigc::PromptStyle::Vic);
//! let mut dialogue = Dialogue::new(Task::Conversation.instruction(), correction);
//! while let Some(prompt) = dialogue.next_prompt() {
//!     let text = model(prompt).to_owned();
//!     dialogue.accept(&Generated::text(text));
//! }
//! assert_eq!(dialogue.finish().unwrap().answer, "A cat sits on a mat.");
//! ```

mod correction;
mod dialogue;
pub mod diff;
pub mod export;
pub mod image_id;
mod image_source;
mod journal;
mod outcome;
pub mod rank;
mod run;
mod sample;
mod scheduler;
pub mod seed;
pub mod sentence;
mod speedups;
pub mod two_stage;
mod upstream;
mod vic;

pub use correction::{BeamEnds, Correction, LastStep, LoopRules, PromptStyle, Steps, Unit};
pub use dialogue::Dialogue;
pub use export::UpstreamRow;
pub use image_id::ImageId;
pub use image_source::{ImageFolder, ImageInput};
pub use journal::settings;
pub use journal::{Finished, Journal, RunKind, RunRecord};
pub use outcome::{Corrected, CorrectionStep, Rejected, Rejection, Step, StopReason};
pub use run::Vigc;
pub use sample::{InstructionSample, Record, RejectedSample, RunSettings, SkippedImage};
pub use scheduler::check_count;
pub use speedups::Speedups;
pub use upstream::UpstreamLoop;
pub use vic::Vic;
pub use vigc_core::json_lines::{JsonLines, Lines, read_lines};
pub use vigc_llm::generation::{
    FinishReason, Generated, GenerationConfig, GenerationHint, Strategy, TextEnd, TokenScore,
};

pub use crate::visual_lm::{Request, VisualLm};
