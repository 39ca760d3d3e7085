//! LLaMA, tokenizers and text generation on [burn](https://burn.dev): from embeddings to text.
//!
//! A model reads embeddings rather than token ids, so the visual tokens of an image can come before the tokens of a prompt.
//!
//! # Tutorial
//!
//! This example makes a tokenizer and a model with random weights. A real model comes from a Hugging Face folder:
//! [`TextTokenizer::from_dir`](tokenizer::TextTokenizer::from_dir) reads the tokenizer,
//! [`read_json`](vigc_core::files::read_json) the [`LlamaConfig`](llama::LlamaConfig), and
//! [`Checkpoint::load`](vigc_core::weights::Checkpoint::load) the weights. `examples/llama_to_text.rs` shows how.
//!
//! ```
//! use burn::tensor::Device;
//! use vigc_core::TokenBatch;
//! use vigc_llm::generation::{FinishReason, GenerationConfig, GenerationHint, TextGenerator};
//! use vigc_llm::llama::LlamaConfig;
//! use vigc_llm::tokenizer::{SpecialTokens, TextTokenizer, train::llama_bpe};
//!
//! # fn main() -> vigc_llm::Result<()> {
//! let corpus = ["A red cube is left of a blue ball.", "The ball is blue."];
//! let bytes = llama_bpe(corpus, 300)?.to_bytes();
//! let tokenizer = TextTokenizer::from_bytes("tutorial", &bytes, &SpecialTokens::upstream())?;
//!
//! let device = Device::default();
//! let config = LlamaConfig::new(32).with_num_hidden_layers(2).with_num_attention_heads(4);
//! let llama = config.with_vocab_size(tokenizer.vocab_size()).init(&device);
//!
//! // Two prompts of different lengths, padded on the left.
//! let generator = TextGenerator::new(&llama, &tokenizer);
//! let prompts = [tokenizer.encode("Where is the red cube?")?, tokenizer.encode("A ball")?];
//! let prompts = TokenBatch::pad_left(&prompts, generator.padding_id());
//! let (embeds, mask) = (llama.embed(prompts.ids(&device)), prompts.mask(&device));
//!
//! // One list of texts for each prompt, the best text first.
//! let greedy = GenerationConfig::greedy().with_max_new_tokens(6);
//! let texts = generator.generate(embeds.clone(), &mask, &greedy, &[], &[])?;
//! assert_eq!(texts[0][0].finish, FinishReason::MaxTokens);
//!
//! // A draft makes generation faster and does not change the text.
//! let hint = GenerationHint { draft: "The cube is left of the ball.", ..Default::default() };
//! assert_eq!(generator.generate(embeds.clone(), &mask, &greedy, &[], &[hint; 2])?, texts);
//!
//! // Sampling takes a seed for each prompt.
//! let nucleus = GenerationConfig::nucleus(0.9).with_max_new_tokens(6).with_n_best(2);
//! let samples = generator.generate(embeds.clone(), &mask, &nucleus, &[7, 8], &[])?;
//! assert_eq!(samples[1].len(), 2);
//!
//! // The log-probabilities of candidate answers to the first prompt.
//! let (embeds, mask) = (embeds.narrow(0, 0, 1), mask.narrow(0, 0, 1));
//! let log_probs = generator.log_probs(embeds, mask, &["left", "right"])?;
//! assert!(log_probs.iter().all(|log_prob| *log_prob < 0.0));
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! | module | contents |
//! |---|---|
//! | [`generation`] | greedy decoding, sampling and beam search with any [`CausalLm`], and the texts that they return |
//! | [`llama`] | the model, its configuration, its KV cache and its keys in checkpoints |
//! | [`lora`] | low-rank adapters in PEFT's format, merged into the weights when they are read |
//! | [`loss`] | the loss of next tokens, computed only at positions that have a label |
//! | [`tokenizer`] | the language model's and the Q-Former's tokenizers, and their training |
//!
//! # Features
//!
//! | feature | effect |
//! |---|---|
//! | `flex` | uses the kernels of `vigc-core` on burn's CPU backend: a paged cache without padding, and speculative decoding |
//!
//! Without features the crate works on every backend of burn.
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

/// Compiles the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
