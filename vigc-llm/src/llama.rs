//! LLaMA (<https://arxiv.org/abs/2302.13971>), the language model of InstructBLIP, LLaVA and VIGC.
//!
//! Follows `modeling_llama.py` of transformers with one change that upstream makes: norms are computed in f32. The modules
//! have the names of the checkpoints.

mod attention;
mod config;
mod kv_cache;
mod layer;
mod model;
#[cfg(feature = "flex")]
mod paged_cache;
mod rope;

use vigc_core::weights::KeyMap;

pub use config::LlamaConfig;
pub use kv_cache::KvCache;
pub use model::Llama;

#[cfg(feature = "flex")]
pub(crate) use paged_cache::PagedCache;

/// The keys of `LlamaForCausalLM` in transformers, and of `language_model` in InstructBLIP.
///
/// Old checkpoints also contain every layer's `rotary_emb.inv_freq`, which is computed here.
pub const HUGGING_FACE_KEYS: KeyMap = KeyMap::IDENTITY;
