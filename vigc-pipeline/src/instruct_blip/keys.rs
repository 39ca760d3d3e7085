//! Where published files keep the network.

use vigc_core::weights::KeyMap;

/// The network keeps the parts of the image encoder one level deeper than files do.
const ENCODER: (&str, &str) = (r"^(vision_model|ln_vision)\.", "image_encoder.${1}.");

/// The network keeps the parts of the connector one level deeper than files do.
const CONNECTOR: (&str, &str) =
    (r"^(query_tokens$|qformer\.|language_projection\.)", "connector.${1}");

/// Hugging Face names to the network's.
pub const HUGGING_FACE: KeyMap = KeyMap::new(&[
    (r"^vision_model\.post_layernorm\.", "ln_vision."),
    (r"\bLayerNorm\b", "layer_norm"),
    ENCODER,
    CONNECTOR,
]);

/// The network's names to Hugging Face's.
pub const TO_HUGGING_FACE: KeyMap = KeyMap::new(&[
    (r"^(image_encoder|connector)\.", ""),
    (r"^ln_vision\.", "vision_model.post_layernorm."),
    (r"^(qformer\..*)\blayer_norm\b", "${1}LayerNorm"),
]);

/// Names of LAVIS and of the original VIGC to the network's. The biases of queries and values stay apart
/// here; [`FileKind::open`](super::FileKind::open) joins them.
pub const LAVIS: KeyMap = KeyMap::new(&[
    (r"^visual_encoder\.cls_token$", "vision_model.embeddings.class_embedding"),
    (r"^visual_encoder\.pos_embed$", "vision_model.embeddings.position_embedding"),
    (r"^visual_encoder\.patch_embed\.proj\.", "vision_model.embeddings.patch_embedding."),
    (r"^visual_encoder\.blocks\.", "vision_model.encoder.layers."),
    (r"^(vision_model\.encoder\.layers\.\d+)\.norm", "${1}.layer_norm"),
    (r"^(vision_model\.encoder\.layers\.\d+)\.attn\.proj\.", "${1}.self_attn.projection."),
    (r"^(vision_model\.encoder\.layers\.\d+)\.attn\.", "${1}.self_attn."),
    (r"^Qformer\.bert\.embeddings\.LayerNorm\.", "qformer.embeddings.layernorm."),
    (r"^Qformer\.bert\.", "qformer."),
    (r"^(qformer\..*attention)\.self\.", "${1}.attention."),
    (r"^(qformer\..*)\bLayerNorm\b", "${1}layer_norm"),
    (r"^llm_proj\.", "language_projection."),
    (r"^llm(_model|\.base_model\.model)\.", "language_model."),
    // Around the weights of layers with low-rank updates.
    (r"^(language_model\..*)\.base_layer\.", "${1}."),
    ENCODER,
    CONNECTOR,
]);

/// Where LAVIS has the language model.
pub(super) const LAVIS_LANGUAGE: &str = "llm_model";

/// Where VIGC's trainer has the same modules once more when it trains low-rank updates: its `model.llm` is what PEFT
/// made of `model.llm_model` (`build_model` of its tasks).
pub(super) const PEFT_LANGUAGE: &str = "llm.base_model.model";

/// Where the network has the language model.
pub(super) const LANGUAGE: &str = "language_model";

/// The released image encoder, `eva_vit_g.pth`, to LAVIS' names.
pub(super) const EVA_TO_LAVIS: KeyMap = KeyMap::new(&[("^", "visual_encoder.")]);

/// A LLaMA folder to the network's names.
pub(super) const LLAMA: KeyMap = KeyMap::new(&[("^", "language_model.")]);
