//! VIG and VIC: questions and answers about images, generated and then corrected.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Vigc`] | many images, several tasks, shared batches |
//! | [`Dialogue`], [`Vic`], [`ReferenceLoop`] | one sample: prompts out, texts in |
//! | [`VisualLm`], [`AnyModel`] | what is needed of a model, and a model of either architecture |
//! | [`sentence`], [`diff`] | where sentences end, and what a correction changed |
//! | [`Journal`], [`export`] | JSONL that can be resumed, and the formats of others |
//! | [`two_stage`], [`rank`] | OKVQA and A-OKVQA: questions, then answers; choices |
//!
//! The image is encoded once; what follows is text. A [`Dialogue`] can therefore be driven by hand:
//!
//! ```
//! use vigc_pipeline::prompt::Task;
//! use vigc_pipeline::vigc::{Correction, Dialogue, Finish, Generated};
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
//!     dialogue.accept(&Generated { text, score: 0.0, tokens: vec![], finish: Finish::EndToken });
//! }
//! assert_eq!(dialogue.finish().unwrap().answer, "A cat sits on a mat.");
//! ```

mod any_model;
mod correction;
mod dialogue;
pub mod diff;
pub mod export;
mod hint;
mod image_source;
mod instruct_blip_lm;
mod journal;
mod llava_lm;
pub mod rank;
mod reference;
mod run;
mod sample;
mod scheduler;
pub mod seed;
pub mod sentence;
mod token_ends;
pub mod two_stage;
mod vic;
mod visual_lm;

pub use any_model::{AnyImage, AnyModel};
pub use correction::{BeamEnds, Correction, LastStep, LoopRules, PromptStyle, Steps, Unit};
pub use dialogue::{Corrected, Dialogue, Rejected, Rejection, Step, StopReason};
pub use hint::{Hint, Savings, TextEnd};
pub use image_source::{ImageFolder, ImageInput};
pub use journal::settings;
pub use journal::{Finished, Journal, RunKind, RunRecord};
pub use reference::{ImageId, ReferenceLoop, ReferenceRow};
pub use run::Vigc;
pub use sample::{
    CorrectionStep, InstructionSample, Record, RejectedSample, RunSettings, SkippedImage,
};
pub use scheduler::check_count;
pub use vic::Vic;
pub use vigc_core::json_lines::{JsonLines, Lines, read_lines};
pub use vigc_llm::generation::{FinishReason as Finish, GenerationConfig, Strategy};
pub use visual_lm::{Generated, Request, TokenScore, VisualLm};
