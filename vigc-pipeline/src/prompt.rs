//! The texts that models are prompted with, and the parser of their answers: tasks, instructions, templates, question
//! prefixes, text processors and the format `Question: … Answer: …`.
//!
//! All wordings are those of the upstream program (opendatalab/VIGC), including its mistakes in grammar, because
//! checkpoints were trained with exactly these texts.
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
pub mod qa_text;
pub mod question_prefix;
mod task;
pub mod templates;
mod text_processor;

pub(crate) use question_prefix::PythonRandom;
pub use task::Task;
pub use text_processor::{
    TextProcessor, blip_caption, blip_caption_instruct, blip_question, python_strip,
};
