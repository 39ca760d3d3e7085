use vigc_llm::llama::LlamaConfig;

use super::*;
use crate::llava::network::ProjectorKind;
use crate::llava::template::Template;

/// As `llava-hf/llava-1.5-7b-hf` has it, which leaves out what transformers fills in.
const HUGGING_FACE: &str = r#"{"architectures": ["LlavaForConditionalGeneration"], "ignore_index": -100,
    "image_token_index": 32000, "model_type": "llava", "pad_token_id": 32001, "projector_hidden_act": "gelu",
    "text_config": {"_name_or_path": "lmsys/vicuna-7b-v1.5", "architectures": ["LlamaForCausalLM"],
        "max_position_embeddings": 4096, "model_type": "llama", "rms_norm_eps": 1e-05,
        "torch_dtype": "float16", "vocab_size": 32064},
    "tie_word_embeddings": false, "torch_dtype": "float16",
    "vision_config": {"hidden_size": 1024, "image_size": 336, "intermediate_size": 4096,
        "model_type": "clip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24,
        "patch_size": 14, "projection_dim": 768, "vocab_size": 32000},
    "vision_feature_layer": -2, "vision_feature_select_strategy": "default", "vocab_size": 32064}"#;

/// The fields that matter of `liuhaotian/llava-v1.5-7b`.
const ORIGINAL: &str = r#"{"architectures": ["LlavaLlamaForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 4096, "image_aspect_ratio": "pad", "initializer_range": 0.02,
    "intermediate_size": 11008, "max_length": 4096, "max_position_embeddings": 4096, "mm_hidden_size": 1024,
    "mm_projector_type": "mlp2x_gelu", "mm_resampler_type": null, "mm_use_im_patch_token": false,
    "mm_use_im_start_end": false, "mm_vision_select_feature": "patch", "mm_vision_select_layer": -2,
    "mm_vision_tower": "openai/clip-vit-large-patch14-336", "model_type": "llava",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32, "pad_token_id": 0,
    "rms_norm_eps": 1e-05, "rope_scaling": null, "tie_word_embeddings": false, "use_cache": true,
    "use_mm_proj": true, "vocab_size": 32000}"#;

/// `file` with a field changed.
fn with(file: &str, key: &str, value: Value) -> Result<LlavaConfig, String> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    file[key] = value;
    LlavaConfig::try_from(file)
}

#[test]
fn reads_hugging_faces_file() {
    let config: LlavaConfig = serde_json::from_str(HUGGING_FACE).unwrap();
    assert_eq!(config, LlavaConfig::llava_1_5_7b());
    assert_eq!((config.num_image_tokens(), config.vision_config.num_hidden_layers), (576, 23));
    config.validate().unwrap();
}

#[test]
fn reads_the_original_file() {
    let config: LlavaConfig = serde_json::from_str(ORIGINAL).unwrap();
    let published = LlavaConfig::llava_1_5_7b();
    assert_eq!(config.vision_config, published.vision_config);
    assert_eq!(config.text_config, LlamaConfig { vocab_size: 32_000, ..published.text_config });
    let vision_tower = "openai/clip-vit-large-patch14-336".to_owned();
    assert_eq!(config.layout, Layout::Original { vision_tower, image_marks: false });
    assert_eq!((config.image_text(), config.image_token_index()), ("<image>".to_owned(), None));
    config.validate().unwrap();
}

#[test]
fn the_first_llava_has_a_linear_projector_and_marks() {
    let mut file: Value = serde_json::from_str(ORIGINAL).unwrap();
    file.as_object_mut().unwrap().remove("mm_projector_type");
    file["mm_use_im_start_end"] = true.into();
    file["mm_vision_tower"] = "openai/clip-vit-large-patch14".into();
    let config = LlavaConfig::try_from(file).unwrap();
    assert_eq!((config.projector, config.num_image_tokens()), (ProjectorKind::Linear, 256));
    assert_eq!(config.image_text(), "<im_start><image><im_end>");
}

#[test]
fn both_layouts_survive_a_round_trip() {
    for file in [HUGGING_FACE, ORIGINAL] {
        let config: LlavaConfig = serde_json::from_str(file).unwrap();
        let config = LlavaConfig { template: Template::LlavaV1, ..config };
        assert_eq!(LlavaConfig::try_from(config.to_json().unwrap()).unwrap(), config);
    }
}

#[test]
fn what_would_be_computed_wrongly_is_refused() {
    let cases = [
        (HUGGING_FACE, "projector_hidden_act", "relu".into(), "projector_hidden_act is \"relu\""),
        (HUGGING_FACE, "multimodal_projector_bias", false.into(), "multimodal_projector_bias"),
        (HUGGING_FACE, "vision_feature_layer", 25.into(), "25 of 24 layers"),
        (HUGGING_FACE, "vision_feature_layer", serde_json::json!([-2, -5]), "sequence"),
        (HUGGING_FACE, "text_config", serde_json::json!({"model_type": "mistral"}), "mistral"),
        (ORIGINAL, "mm_projector_type", "mlp3x_gelu".into(), "mlp3x_gelu"),
        (ORIGINAL, "mm_vision_tower", "my/encoder".into(), "\"my/encoder\""),
        (ORIGINAL, "mm_hidden_size", 768.into(), "mm_hidden_size is 768"),
    ];
    for (file, key, value, expected) in cases {
        let error = with(file, key, value).unwrap_err();
        assert!(error.contains(expected), "{key}: {error}");
    }
    let error = with(HUGGING_FACE, "image_token_index", 32_064.into()).unwrap().validate();
    assert!(error.unwrap_err().to_string().contains("below 32064"));
}

#[test]
fn a_named_folder_tells_the_encoders_shape() {
    let vision = ClipVitConfig::new(1024).with_num_hidden_layers(5).with_num_attention_heads(4);
    let config = LlavaConfig::read(serde_json::from_str(ORIGINAL).unwrap(), Some(vision)).unwrap();
    assert_eq!((config.vision_config.num_hidden_layers, config.num_image_tokens()), (4, 256));
}
