//! The Q-Former: learned queries that read an image in the light of a text.
//!
//! A post-norm BERT over the queries and the tokens of the text. In every `cross_attention_frequency`-th layer the queries
//! also attend to the image. Queries and text have separate feed-forward networks. Papers:
//! [BLIP-2](https://arxiv.org/abs/2301.12597), [InstructBLIP](https://arxiv.org/abs/2305.06500). Follows
//! `models/blip2_models/Qformer.py` of LAVIS and `InstructBlipQFormerModel` of transformers. The modules have the names of
//! the checkpoints.

mod config;
mod image_key_values;
mod layer;
mod model;

use vigc_core::weights::KeyMap;

pub use self::config::QFormerConfig;
pub use self::image_key_values::ImageKeyValues;
pub use self::model::QFormer;

/// The keys of Hugging Face checkpoints below `qformer`, renamed to those of the modules.
pub const HUGGING_FACE_KEYS: KeyMap = KeyMap::new(&[(r"\bLayerNorm\b", "layer_norm")]);

/// The keys of the modules, renamed to those of Hugging Face checkpoints.
pub const TO_HUGGING_FACE_KEYS: KeyMap = KeyMap::new(&[(r"\blayer_norm\b", "LayerNorm")]);
