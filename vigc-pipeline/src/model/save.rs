//! Writing the folder of a model.

use std::fs;
use std::path::Path;

use burn::tensor::DType;
use vigc_core::files::write_json;
use vigc_core::nn::Precision;
use vigc_core::weights::save;

use super::architecture::Architecture;
use super::generation_file::write_generation_config;
use super::options::Precisions;
use super::vision_language_model::VisionLanguageModel;
use crate::{Error, Result};

impl<A: Architecture> VisionLanguageModel<A> {
    /// Saves the model to a folder that its architecture's programs open, its weights in `dtype`.
    ///
    /// The weights come last, so a folder that holds them is complete.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::Core`] if a file cannot be written.
    pub fn save_pretrained(&self, folder: impl AsRef<Path>, dtype: DType) -> Result<()> {
        let folder = folder.as_ref();
        let parts = self.parts();
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        parts.tokenizer_files.write(folder)?;
        let json = |source| vigc_core::Error::Json { path: folder.to_owned(), source };
        let (name, processor) = A::stored_processor(parts).map_err(json)?;
        write_json(folder.join(name), &processor)?;
        write_generation_config(folder, &parts.generation, &parts.text_tokenizer)?;
        let config = A::stored_config(parts, dtype).map_err(json)?;
        write_json(folder.join("config.json"), &config)?;
        let weights = folder.join("model.safetensors");
        Ok(save(self.network(), &parts.config.key_map(), dtype, weights)?)
    }
}

/// The name that transformers gives to the type of a folder's weights: that of the language model, which has the most.
#[must_use]
pub fn dtype_name(precisions: Precisions, dtype: DType) -> &'static str {
    let dtype = match precisions.language {
        Precision::F16 => DType::F16,
        Precision::Bf16 => DType::BF16,
        _ => dtype,
    };
    match dtype {
        DType::F16 => "float16",
        DType::BF16 => "bfloat16",
        _ => "float32",
    }
}
