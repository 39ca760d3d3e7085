//! Text generation with a [`CausalLm`](crate::CausalLm): greedy decoding, sampling and beam search.
//!
//! [`TextGenerator`] turns the embeddings of prompts into texts. [`generate`] is the step below: it returns token ids and
//! needs no tokenizer. A [`GenerationConfig`] follows one of two sets of [`Rules`]: those of current transformers, or
//! those of transformers 4.28.1, which the authors of VIGC ran. Under both, the length of a hypothesis counts from the
//! end of the prompt, and the repetition penalty applies to generated tokens only.

mod beam_search;
mod config;
mod draft;
mod generate;
mod generated;
mod row_decoder;
mod sampler;
mod scores;
mod stop;
mod strategy;
mod text_generator;

pub use config::{GenerationConfig, Rules};
pub use generate::{generate, generate_until, generate_with_draft};
pub use generated::{FinishReason, Generated, Hypothesis, TokenScore};
pub use stop::{NeverStop, StopCondition, StopStrings};
pub use strategy::{ParseStrategyError, Strategy};
pub use text_generator::{GenerationHint, TextEnd, TextGenerator};
