//! Where Hugging Face folders keep the network.

use vigc_core::weights::KeyMap;

/// Hugging Face names to the network's.
pub const HUGGING_FACE: KeyMap = KeyMap::new(&[
    (r"^vision_model\.post_layernorm\.", "ln_vision."),
    (r"\bLayerNorm\b", "layer_norm"),
]);

/// The network's names to Hugging Face's.
pub const TO_HUGGING_FACE: KeyMap = KeyMap::new(&[
    (r"^ln_vision\.", "vision_model.post_layernorm."),
    (r"^(qformer\..*)\blayer_norm\b", "${1}LayerNorm"),
]);
