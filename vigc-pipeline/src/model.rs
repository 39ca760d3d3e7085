//! What the models share: how they are read and saved, and how they write behind an image.

mod options;
mod stored_generation;
mod token_ids;
mod tokenizer_files;
mod writer;

use std::path::Path;

use burn::tensor::DType;
use vigc_core::files::read_json;
use vigc_core::nn::Precision;
use vigc_llm::tokenizer::TextTokenizer;
use vigc_vision::image::ImageSize;

use crate::{Error, Result};

pub use options::{LoadOptions, Precisions};
pub(crate) use stored_generation::{StoredGeneration, write_generation};
pub(crate) use token_ids::{StoredIds, StoredTextIds};
pub use tokenizer_files::TokenizerFiles;
pub(crate) use writer::Writer;
pub use writer::{Generated, Prompt, PromptInputs};

/// The last part of a folder's path.
pub(crate) fn name_of(folder: &Path) -> String {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    absolute.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Pictures have to come in the size that the image encoder was made for.
pub(crate) fn check_picture_size(size: ImageSize, side: usize) -> Result<()> {
    let ImageSize { height, width } = size;
    if [height, width].iter().all(|&pixels| usize::try_from(pixels) == Ok(side)) {
        return Ok(());
    }
    let problem = format!("is {side}, but the image processor makes {height} x {width} pixels");
    Err(Error::Config { field: "vision_config.image_size", problem })
}

/// A part of a model cannot have more layers than there are tensors for it.
pub(crate) fn check_depths(depths: &[(&'static str, usize)], tensors: usize) -> Result<()> {
    match depths.iter().find(|(_, layers)| *layers > tensors) {
        Some(&(field, layers)) => {
            let problem = format!("is {layers}, but there are weights for at most {tensors}");
            Err(Error::Config { field, problem })
        }
        None => Ok(()),
    }
}

/// Reads the special tokens that a folder's configuration names, and warns of those that are not the tokenizer's, which
/// is followed.
pub(crate) fn ids_of(folder: &Path, tokenizer: &TextTokenizer) -> Result<StoredIds> {
    let stored: StoredTextIds = read_json(folder.join("config.json"))?;
    let mut said = stored.text_config.contradictions("config.json", tokenizer);
    let generation = folder.join("generation_config.json");
    if generation.is_file() {
        let stored: StoredIds = read_json(generation)?;
        said.extend(stored.contradictions("generation_config.json", tokenizer));
    }
    for sentence in said {
        tracing::warn!("{}/{sentence}", folder.display());
    }
    Ok(stored.text_config)
}

/// What transformers makes of all weights of a folder: that of the most, the language model's.
pub(crate) fn dtype_name(precisions: Precisions, dtype: DType) -> &'static str {
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
