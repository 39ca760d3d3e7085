//! What the network is told and asked, and how its answers are read: instructions, templates,
//! question prefixes, text processors and the `Question: … Answer: …` form.
//!
//! Every wording is that of the reference implementation (opendatalab/VIGC), including its slips
//! of grammar, because checkpoints were trained on exactly these texts.
//!
//! ```
//! use vigc_pipeline::prompt::{Task, qa_text};
//!
//! let instruction = Task::Conversation.instruction();
//! assert!(instruction.starts_with("Generate a question"));
//! let pair = qa_text::parse_strict("Question: What is it? Answer: A cat.")?;
//! assert_eq!((pair.question.as_str(), pair.answer.as_str()), ("What is it?", "A cat."));
//! # Ok::<(), qa_text::Malformed>(())
//! ```

pub mod instructions;
mod python_random;
pub mod qa_text;
pub mod question_prefix;
mod task;
pub mod templates;
mod text_processor;

pub(crate) use python_random::PythonRandom;
pub use task::Task;
pub use text_processor::python_strip;
pub use text_processor::{TextProcessor, blip_caption, blip_caption_instruct, blip_question};
