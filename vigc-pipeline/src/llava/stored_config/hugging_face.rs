//! The configuration as transformers has it.

use serde::Deserialize;
use serde_json::{Value, json};
use vigc_llm::llama::LlamaConfig;
use vigc_vision::clip_vit::ClipVitConfig;

use crate::llava::config::{LlavaConfig, shortened};
use crate::llava::network::FeatureSelect;
use crate::llava::template::Template;
use crate::model::Precisions;

/// The file, with transformers' defaults.
#[derive(Deserialize)]
struct Stored {
    text_config: Value,
    #[serde(default = "ClipVitConfig::vit_l_14_336")]
    vision_config: ClipVitConfig,
    #[serde(default = "thirty_two_thousand", alias = "image_token_id")]
    image_token_index: u32,
    #[serde(default = "gelu")]
    projector_hidden_act: String,
    #[serde(default = "yes")]
    multimodal_projector_bias: bool,
    #[serde(default = "before_the_last")]
    vision_feature_layer: i64,
    #[serde(default)]
    vision_feature_select_strategy: FeatureSelect,
    #[serde(default)]
    prompt_template: Template,
    #[serde(default)]
    precisions: Precisions,
}

fn thirty_two_thousand() -> u32 {
    32_000
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn yes() -> bool {
    true
}

fn before_the_last() -> i64 {
    -2
}

pub(super) fn read(file: Value) -> Result<LlavaConfig, String> {
    let stored: Stored = serde_json::from_value(file).map_err(|error| error.to_string())?;
    if stored.projector_hidden_act != "gelu" {
        let found = stored.projector_hidden_act;
        return Err(format!("projector_hidden_act is {found:?}, only \"gelu\" is supported"));
    }
    if !stored.multimodal_projector_bias {
        return Err("multimodal_projector_bias is false, only true is supported".to_owned());
    }
    let text = text_config(stored.text_config).map_err(|error| format!("text_config: {error}"))?;
    let vision = shortened(&stored.vision_config, stored.vision_feature_layer)?;
    Ok(LlavaConfig {
        vision_feature_select_strategy: stored.vision_feature_select_strategy,
        template: stored.prompt_template,
        precisions: stored.precisions,
        ..LlavaConfig::new(vision, text, stored.image_token_index)
    })
}

/// Published files name what differs from transformers' defaults, which are LLaMA 7B.
fn text_config(file: Value) -> serde_json::Result<LlamaConfig> {
    let mut text = json!({
        "vocab_size": 32_000,
        "hidden_size": 4096,
        "intermediate_size": 11_008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
    });
    if let (Value::Object(text), Value::Object(file)) = (&mut text, file) {
        text.extend(file);
    }
    serde_json::from_value(text)
}

pub(super) fn write(config: &LlavaConfig, image_token_index: u32) -> serde_json::Result<Value> {
    let mut vision = serde_json::to_value(&config.vision_config)?;
    vision["model_type"] = json!("clip_vision_model");
    Ok(json!({
        "architectures": ["LlavaForConditionalGeneration"],
        "model_type": "llava",
        "image_seq_length": config.num_image_tokens(),
        "image_token_index": image_token_index,
        "multimodal_projector_bias": true,
        "projector_hidden_act": gelu(),
        "text_config": config.text_config,
        "tie_word_embeddings": false,
        "vision_config": vision,
        // The last of those that are there.
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": config.vision_feature_select_strategy,
    }))
}
