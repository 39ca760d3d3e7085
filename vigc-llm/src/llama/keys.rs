//! How checkpoints name a [`Llama`](super::Llama)'s tensors.

use vigc_core::weights::KeyMap;

/// `LlamaForCausalLM` of transformers, and `language_model` inside `InstructBLIP`.
///
/// Old checkpoints also hold every layer's `rotary_emb.inv_freq`, which is computed here.
pub const HUGGING_FACE: KeyMap = KeyMap::IDENTITY;
