//! LLaMA/Vicuna with a KV cache, tokenizers and text generation.
