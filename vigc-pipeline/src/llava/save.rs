//! Writing a folder that transformers opens, or the original program.

use std::fs;
use std::path::Path;

use burn::tensor::DType;
use serde_json::{Value, json};
use vigc_core::files::write_json;
use vigc_core::weights::save;

use super::{IMAGE, Layout, Llava, keys};
use crate::model::{dtype_name, write_generation};
use crate::{Error, Result};

impl Llava {
    /// Saves the model to a folder in the layout that it was read in, its weights in `dtype`.
    ///
    /// A folder in the original program's layout has the image encoder's weights and shape with it, which that program
    /// takes from elsewhere. The weights come last, so a folder that holds them is complete.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::Core`] if a file cannot be written.
    pub fn save_pretrained(&self, folder: impl AsRef<Path>, dtype: DType) -> Result<()> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        self.tokenizer_files.write(folder)?;
        self.write_processor(folder)?;
        write_generation(folder, self.generation_config(), self.text_tokenizer())?;
        let config = folder.join("config.json");
        let file = self.stored_config(dtype);
        let file =
            file.map_err(|source| vigc_core::Error::Json { path: config.clone(), source })?;
        write_json(&config, &file)?;
        let names = keys::of(&self.config.layout, self.config.projector);
        Ok(save(self.network(), &names, dtype, folder.join("model.safetensors"))?)
    }

    fn write_processor(&self, folder: &Path) -> Result<()> {
        let images = self.processor().config();
        if matches!(self.config.layout, Layout::Original { .. }) {
            return Ok(write_json(folder.join("preprocessor_config.json"), images)?);
        }
        let processor = json!({
            "image_processor": images,
            "image_token": IMAGE,
            // The class token.
            "num_additional_image_tokens": 1,
            "patch_size": self.config.vision_config.patch_size,
            "processor_class": "LlavaProcessor",
            "vision_feature_select_strategy": self.config.vision_feature_select_strategy,
        });
        Ok(write_json(folder.join("processor_config.json"), &processor)?)
    }

    /// The configuration with what the tokenizer and the image processor know.
    fn stored_config(&self, dtype: DType) -> serde_json::Result<Value> {
        let mut file = self.config.to_json()?;
        let text = self.text_tokenizer();
        file["dtype"] = json!(dtype_name(self.config.precisions, dtype));
        let ids = match self.config.layout {
            Layout::HuggingFace { .. } => &mut file["text_config"],
            Layout::Original { .. } => {
                let pads = self.processor().config().do_pad;
                file["image_aspect_ratio"] = json!(if pads { "pad" } else { "square" });
                &mut file
            }
        };
        ids["bos_token_id"] = json!(text.bos_id());
        ids["eos_token_id"] = json!(text.eos_id());
        ids["pad_token_id"] = json!(text.pad_id());
        Ok(file)
    }
}
