//! LLaMA/Vicuna with a KV cache, tokenizers and text generation.

mod causal_lm;
mod error;
pub mod generation;
pub mod llama;
pub mod loss;
pub mod tokenizer;

pub use causal_lm::{CausalLm, Logits, Session};
pub use error::{Error, Result};
