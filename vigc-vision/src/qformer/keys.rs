//! Where published checkpoints keep the Q-Former.

use vigc_core::weights::KeyMap;

/// Hugging Face checkpoints below `qformer`, to the modules' names.
pub const HUGGING_FACE: KeyMap = KeyMap::new(&[(r"\bLayerNorm\b", "layer_norm")]);

/// The modules' names to those of Hugging Face checkpoints, for saving.
pub const TO_HUGGING_FACE: KeyMap = KeyMap::new(&[(r"\blayer_norm\b", "LayerNorm")]);
