//! Reading the folder of a whole model.

use std::path::Path;

use burn::tensor::Device;
use vigc_core::weights::{CheckpointOverlay, LoadReport, Strictness};
use vigc_llm::tokenizer::TextTokenizer;
use vigc_vision::image::ClipImageProcessor;

use super::{Llava, LlavaConfig, LlavaFiles, LoadOptions, TokenizerFiles};
use crate::Result;
use crate::model::{StoredGeneration, check_picture_size};

/// Everything of a model but its weights.
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) config: LlavaConfig,
    pub(super) text_tokenizer: TextTokenizer,
    pub(super) processor: ClipImageProcessor,
    pub(super) generation: StoredGeneration,
    pub(super) tokenizer_files: TokenizerFiles,
}

impl Llava {
    /// Reads `config.json`, the weights, the tokenizer, the image processor and, if there is one,
    /// `generation_config.json` from a folder in Hugging Face's layout or the original program's.
    ///
    /// The folders of the original program have the image encoder elsewhere; [`LlavaFiles`] names it.
    /// Weights become f32, whatever they are stored in; [`Llava::from_dir_with`] can keep them smaller.
    ///
    /// # Errors
    ///
    /// As [`Llava::from_files`].
    pub fn from_dir(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::from_dir_with(folder, device, &LoadOptions::default())
    }

    /// As [`Llava::from_dir`], with weights in the precisions that are asked for. They are converted
    /// while they are read, one tensor at a time.
    ///
    /// # Errors
    ///
    /// As [`Llava::from_files`].
    pub fn from_dir_with(
        folder: impl AsRef<Path>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let (model, reports) =
            Self::from_files(&LlavaFiles::new(folder.as_ref()), device, options)?;
        for tensor in reports.iter().flat_map(|report| &report.unused) {
            tracing::warn!("{}: nothing reads the tensor {tensor}", model.name);
        }
        Ok(model)
    }

    /// Gives every parameter its stored value and puts the parts together.
    pub(super) fn assemble(
        mut parts: Parts,
        weights: CheckpointOverlay,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<(Self, Vec<LoadReport>)> {
        parts.config.validate()?;
        parts.config.check_depth(weights.tensor_count())?;
        let size = parts.processor.config().crop_size;
        check_picture_size(size, parts.config.vision_config.image_size)?;
        parts.config.precisions = options.precisions_of(parts.config.precisions)?;
        let mut network = parts.config.init(device);
        let weights = match &options.progress {
            Some(progress) => weights.with_progress(progress.clone()),
            None => weights,
        };
        let reports = weights.apply(&mut network, Strictness::Strict)?;
        let model = Self {
            name: parts.name,
            config: parts.config,
            network,
            text_tokenizer: parts.text_tokenizer,
            processor: parts.processor,
            generation: parts.generation.into_config(),
            tokenizer_files: parts.tokenizer_files,
            device: device.clone(),
        };
        Ok((model, reports))
    }
}
