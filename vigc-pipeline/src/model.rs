//! The composed model: an image encoder, a connector and a language model, with everything around them.
//!
//! [`VisionLanguageModel`] is the one model of this crate. What differs between architectures is in an implementation of
//! [`Architecture`], which is the configuration of a network: [`InstructBlipConfig`](crate::instruct_blip::InstructBlipConfig)
//! and [`LlavaConfig`](crate::llava::LlavaConfig) are two.
//!
//! | an architecture says | where |
//! |---|---|
//! | how pixel values become features | [`ImageEncoder`] |
//! | how features become visual tokens, in the light of a prompt or not | [`Connector`] |
//! | how a prompt becomes tokens, and where the visual tokens go | [`Architecture::prompt_tokens`], [`PromptTokens`] |
//! | what its folders hold, and under which names | [`Architecture::open`], [`Architecture::key_map`] |
//!
//! A new family is a folder of files like `instruct_blip` or `llava` and a line in [`any_model`](crate::any_model), which
//! chooses the architecture of a folder. Nothing else changes.

mod architecture;
mod checks;
mod generation_file;
#[cfg(feature = "hub")]
mod hub;
mod load;
mod network;
mod options;
mod prompt_inputs;
mod save;
mod token_ids;
mod tokenizer_files;
mod vision_language_model;

pub use architecture::{Architecture, ImagePreprocessor, ModelParts};
#[cfg(feature = "mini")]
pub(crate) use generation_file::parse_generation_config;
pub use generation_file::{read_generation_config, upstream_generation_config};
#[cfg(feature = "hub")]
pub use hub::{ModelSource, fetch_model, fetch_part};
pub use load::folder_name;
pub use network::{Connector, ImageBatch, ImageEncoder, Network, VisualTokens};
pub use options::{LoadOptions, Precisions};
pub use prompt_inputs::{Padding, PromptInputs, PromptTokens, splice};
pub use save::dtype_name;
#[cfg(feature = "mini")]
pub(crate) use token_ids::parse_stored_ids;
pub use token_ids::{StoredIds, read_stored_ids};
pub use tokenizer_files::TokenizerFiles;
pub use vision_language_model::VisionLanguageModel;
