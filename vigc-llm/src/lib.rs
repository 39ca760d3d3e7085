//! LLaMA/Vicuna with a KV cache, tokenizers and text generation.

mod error;
pub mod llama;

pub use error::{Error, Result};
