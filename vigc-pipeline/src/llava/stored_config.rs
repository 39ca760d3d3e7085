//! `config.json` of a LLaVA folder, in either layout.

mod hugging_face;
mod original;

use serde_json::Value;
use vigc_vision::clip_vit::ClipVitConfig;

use super::config::{Layout, LlavaConfig};

impl LlavaConfig {
    /// Reads either layout; of an original folder the encoder's shape is `vision`, or else what the file says.
    pub(super) fn read(file: Value, vision: Option<ClipVitConfig>) -> Result<Self, String> {
        match is_hugging_face(&file) {
            true => hugging_face::read(file),
            false => original::read(file, vision),
        }
    }

    /// The file of the configuration's layout, without what a tokenizer knows.
    pub(super) fn to_json(&self) -> serde_json::Result<Value> {
        let mut file = match &self.layout {
            Layout::HuggingFace { image_token_index } => {
                hugging_face::write(self, *image_token_index)?
            }
            Layout::Original { vision_tower, image_marks } => {
                original::write(self, vision_tower, *image_marks)?
            }
        };
        file["prompt_template"] = serde_json::to_value(self.template)?;
        if !self.precisions.has_no_blocks() {
            file["precisions"] = serde_json::to_value(self.precisions)?;
        }
        Ok(file)
    }
}

impl TryFrom<Value> for LlavaConfig {
    type Error = String;

    fn try_from(file: Value) -> Result<Self, String> {
        Self::read(file, None)
    }
}

/// Hugging Face's file has the language model in a part of its own.
pub(super) fn is_hugging_face(file: &Value) -> bool {
    file.get("text_config").is_some()
}

#[cfg(test)]
mod tests;
