//! Where published checkpoints keep the encoder.

use vigc_core::weights::KeyMap;

/// Hugging Face checkpoints below `vision_model`. The modules carry the checkpoint's names.
///
/// `post_layernorm` there is the norm of the composed model.
pub const HUGGING_FACE: KeyMap = KeyMap::IDENTITY;
