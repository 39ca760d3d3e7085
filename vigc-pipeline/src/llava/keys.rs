//! Where published files keep the network.

use vigc_core::weights::KeyMap;

use super::config::Layout;
use super::network::ProjectorKind;

/// Names of all published files to the network's: Hugging Face's before and since transformers 4.52, and the original
/// program's. No name of one means something else in another.
pub const TO_NETWORK: KeyMap = KeyMap::new(&[
    // What PEFT puts before the weights that a trainer saved beside low-rank updates.
    (r"^base_model\.model\.", ""),
    (r"^(model\.)?vision_tower\.(vision_tower\.)?(vision_model\.)?", "vision_tower."),
    (r"^model\.multi_modal_projector\.", "multi_modal_projector."),
    (r"^model\.mm_projector\.(0\.)?(weight|bias)$", "multi_modal_projector.linear_1.${2}"),
    (r"^model\.mm_projector\.2\.", "multi_modal_projector.linear_2."),
    (r"^model\.language_model\.", "language_model.model."),
    (r"^model\.(embed_tokens|layers|norm)\.", "language_model.model.${1}."),
    (r"^lm_head\.", "language_model.lm_head."),
    (r"^vision_tower\.", "image_encoder.vision_tower."),
    (r"^multi_modal_projector\.", "connector."),
]);

/// CLIP's own files to the network's names. Whole ones also hold a text encoder.
pub const CLIP: KeyMap = KeyMap::new(&[(r"^(vision_model\.)?", "image_encoder.vision_tower.")]);

/// The network's names to Hugging Face's, those that all versions of transformers read.
pub const TO_HUGGING_FACE: KeyMap = KeyMap::new(&[
    (r"^image_encoder\.vision_tower\.", "vision_tower.vision_model."),
    (r"^connector\.", "multi_modal_projector."),
]);

/// The network's names to the original program's, with two layers between encoder and language model.
pub const TO_ORIGINAL: KeyMap = KeyMap::new(&[
    (r"^image_encoder\.vision_tower\.", "model.vision_tower.vision_tower.vision_model."),
    (r"^connector\.linear_1\.", "model.mm_projector.0."),
    (r"^connector\.linear_2\.", "model.mm_projector.2."),
    (r"^language_model\.", ""),
]);

/// As [`TO_ORIGINAL`], with one layer between encoder and language model.
pub const TO_ORIGINAL_LINEAR: KeyMap = KeyMap::new(&[
    (r"^image_encoder\.vision_tower\.", "model.vision_tower.vision_tower.vision_model."),
    (r"^connector\.linear_1\.", "model.mm_projector."),
    (r"^language_model\.", ""),
]);

/// Where the network has the language model.
pub(super) const LANGUAGE: &str = "language_model";

/// The names that a folder of a layout has.
pub(super) fn of(layout: &Layout, projector: ProjectorKind) -> KeyMap {
    match (layout, projector) {
        (Layout::HuggingFace { .. }, _) => TO_HUGGING_FACE,
        (Layout::Original { .. }, ProjectorKind::Mlp2xGelu) => TO_ORIGINAL,
        (Layout::Original { .. }, ProjectorKind::Linear) => TO_ORIGINAL_LINEAR,
    }
}

/// Whether a tensor is known to be of no use, by its name in the network: what is counted or computed here, and the
/// encoder's layers behind the one that is read.
#[must_use]
pub fn is_unread(name: &str, vision_layers: usize) -> bool {
    let behind = |name: &str| {
        let layer =
            name.strip_prefix("image_encoder.vision_tower.encoder.layers.")?.split('.').next()?;
        Some(layer.parse::<usize>().ok()? >= vision_layers)
    };
    name.ends_with(".position_ids")
        || name.ends_with(".rotary_emb.inv_freq")
        || behind(name).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_behind_the_one_that_is_read_are_left() {
        let layer =
            |layer: u32| format!("image_encoder.vision_tower.encoder.layers.{layer}.mlp.fc1.bias");
        assert!(
            is_unread(&layer(23), 23) && !is_unread(&layer(22), 23) && !is_unread(&layer(2), 23)
        );
        assert!(is_unread("image_encoder.vision_tower.embeddings.position_ids", 23));
        assert!(!is_unread("language_model.model.layers.31.mlp.up_proj.weight", 23));
    }
}
