//! The configuration as the original program has it: LLaMA's, with fields of its own beside.

use serde::Deserialize;
use serde_json::{Value, json};
use vigc_llm::llama::LlamaConfig;
use vigc_vision::clip_vit::ClipVitConfig;

use crate::llava::config::{Layout, LlavaConfig, shortened};
use crate::llava::network::{FeatureSelect, ProjectorKind};
use crate::llava::template::Template;
use crate::model::Precisions;

/// What the file says beside LLaMA's fields.
#[derive(Deserialize)]
struct Stored {
    mm_vision_tower: String,
    mm_hidden_size: Option<usize>,
    #[serde(default)]
    mm_projector_type: ProjectorKind,
    #[serde(default = "before_the_last")]
    mm_vision_select_layer: i64,
    #[serde(default)]
    mm_vision_select_feature: FeatureSelect,
    #[serde(default)]
    mm_use_im_start_end: bool,
    /// Ours: the shape of an encoder that is in the file of weights.
    vision_config: Option<ClipVitConfig>,
    #[serde(default)]
    prompt_template: Template,
    #[serde(default)]
    precisions: Precisions,
}

fn before_the_last() -> i64 {
    -2
}

pub(super) fn read(file: Value, vision: Option<ClipVitConfig>) -> Result<LlavaConfig, String> {
    let stored: Stored = serde_json::from_value(file.clone()).map_err(|error| error.to_string())?;
    let mut text = file;
    text["model_type"] = json!("llama");
    let text: LlamaConfig = serde_json::from_value(text).map_err(|error| error.to_string())?;
    let vision = match vision.or(stored.vision_config).or_else(|| known(&stored.mm_vision_tower)) {
        Some(vision) => shortened(&vision, stored.mm_vision_select_layer)?,
        None => {
            let found = stored.mm_vision_tower;
            return Err(format!(
                "mm_vision_tower is {found:?}, of which only openai/clip-vit-large-patch14 and \
                 openai/clip-vit-large-patch14-336 are known; name the encoder's folder"
            ));
        }
    };
    let (read, given) = (stored.mm_hidden_size.unwrap_or(vision.hidden_size), vision.hidden_size);
    if read != given {
        return Err(format!("mm_hidden_size is {read}, expected the encoder's width, {given}"));
    }
    Ok(LlavaConfig {
        vision_config: vision,
        text_config: text,
        projector: stored.mm_projector_type,
        vision_feature_select_strategy: stored.mm_vision_select_feature,
        layout: Layout::Original {
            vision_tower: stored.mm_vision_tower,
            image_marks: stored.mm_use_im_start_end,
        },
        template: stored.prompt_template,
        precisions: stored.precisions,
    })
}

/// The shape of an encoder that was published under a name, whatever folder it was put in.
fn known(vision_tower: &str) -> Option<ClipVitConfig> {
    match vision_tower.trim_end_matches('/').rsplit('/').next()? {
        "clip-vit-large-patch14" => Some(ClipVitConfig::vit_l_14()),
        "clip-vit-large-patch14-336" => Some(ClipVitConfig::vit_l_14_336()),
        _ => None,
    }
}

pub(super) fn write(
    config: &LlavaConfig,
    vision_tower: &str,
    image_marks: bool,
) -> serde_json::Result<Value> {
    let mut file = serde_json::to_value(&config.text_config)?;
    let feature = match config.vision_feature_select_strategy {
        FeatureSelect::Default => "patch",
        FeatureSelect::Full => "cls_patch",
    };
    file["architectures"] = json!(["LlavaLlamaForCausalLM"]);
    file["model_type"] = json!("llava_llama");
    file["mm_vision_tower"] = json!(vision_tower);
    file["mm_hidden_size"] = json!(config.vision_config.hidden_size);
    file["mm_projector_type"] = json!(config.projector);
    // Counted from the front, it is the same of an encoder that is whole.
    file["mm_vision_select_layer"] = json!(config.vision_config.num_hidden_layers);
    file["mm_vision_select_feature"] = json!(feature);
    file["mm_use_im_start_end"] = json!(image_marks);
    file["mm_use_im_patch_token"] = json!(false);
    file["use_mm_proj"] = json!(true);
    file["vision_config"] = serde_json::to_value(&config.vision_config)?;
    Ok(file)
}
