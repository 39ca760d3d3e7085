//! LLaMA/Vicuna with a KV cache, tokenizers and text generation.
//!
//! | module | what it holds |
//! |---|---|
//! | [`llama`] | the model: configuration, layers, cache, names in checkpoints |
//! | [`lora`] | low-rank updates, added to the weights when they are read |
//! | [`tokenizer`] | the language model's and the Q-Former's tokenizers, read or trained |
//! | [`loss`] | the loss of next tokens, computed only where a label asks for one |
//! | [`generation`] | greedy decoding, sampling and beam search over any [`CausalLm`] |
//!
//! A model reads embeddings, so that an image's soft tokens can stand before a text's:
//!
//! ```
//! use burn::tensor::Device;
//! use vigc_core::TokenBatch;
//! use vigc_llm::generation::{GenerationConfig, generate};
//! use vigc_llm::llama::LlamaConfig;
//!
//! # fn main() -> vigc_llm::Result<()> {
//! let device = Device::default();
//! let llama = LlamaConfig::new(16).with_vocab_size(32).with_num_hidden_layers(2).with_num_attention_heads(4).init(&device);
//! let prompts = TokenBatch::pad_left(&[vec![2, 7, 5], vec![2, 9]], 0);
//! let embeds = llama.embed(prompts.ids(&device));
//! let config = GenerationConfig::beam_search(3).with_max_new_tokens(4).with_n_best(2);
//! let texts = generate(&llama, embeds, &prompts.mask(&device), &config, &[])?;
//! assert_eq!((texts.len(), texts[0].len()), (2, 2));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod causal_lm;
mod error;
pub mod generation;
pub mod llama;
mod llama_lm;
pub mod lora;
pub mod loss;
pub mod tokenizer;

pub use causal_lm::{CausalLm, EmbeddingLm, Logits, Session, SpeculativeSession};
pub use error::{Error, Result};
