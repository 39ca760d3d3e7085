//! Where published checkpoints keep the encoder.

use vigc_core::weights::KeyMap;

/// CLIP's own checkpoints, whole or the image encoder alone. The modules carry the checkpoint's names.
///
/// Old files also hold `embeddings.position_ids`, which are counted here; whole ones the text encoder and two
/// projections.
pub const HUGGING_FACE: KeyMap = KeyMap::new(&[(r"^vision_model\.", "")]);
