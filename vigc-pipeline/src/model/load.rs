//! Reading the folder of a whole model.

use std::path::Path;

use burn::tensor::Device;
use vigc_core::weights::{CheckpointOverlay, LoadReport, Strictness};

use super::architecture::{Architecture, ModelParts};
use super::checks::{check_depths, check_image_size};
use super::options::LoadOptions;
use super::vision_language_model::VisionLanguageModel;
use crate::Result;

impl<A: Architecture> VisionLanguageModel<A> {
    /// Reads a model from its folder: `config.json`, the weights, the tokenizers, the image processor and, if there is one,
    /// `generation_config.json`.
    ///
    /// Weights become f32, whatever they are stored in; [`from_dir_with`](Self::from_dir_with) can keep them smaller.
    ///
    /// # Errors
    ///
    /// [`Error::Core`](crate::Error::Core), [`Error::Llm`](crate::Error::Llm) or [`Error::Vision`](crate::Error::Vision) for a file that is missing or damaged, [`Error::Config`](crate::Error::Config) for
    /// parts that do not fit each other.
    pub fn from_dir(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::from_dir_with(folder, device, &LoadOptions::default())
    }

    /// As [`from_dir`](Self::from_dir), with weights in the precisions that `options` asks for. They are converted while they
    /// are read, one tensor at a time.
    ///
    /// # Errors
    ///
    /// As [`from_dir`](Self::from_dir).
    pub fn from_dir_with(
        folder: impl AsRef<Path>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let (parts, weights) = A::open(folder.as_ref())?;
        let (model, reports) = Self::from_parts(parts, weights, device, options)?;
        for tensor in reports.iter().flat_map(|report| &report.unused) {
            tracing::warn!("{}: nothing reads the tensor {tensor}", model.name());
        }
        Ok(model)
    }

    /// Puts a model together from its parts and the weights under the network's names, and reports what came of each file of
    /// weights.
    ///
    /// # Errors
    ///
    /// [`Error::Core`](crate::Error::Core) if a tensor cannot be read, does not fit or is missing in all files,
    /// [`Error::Config`](crate::Error::Config) or [`Error::Vision`](crate::Error::Vision) if parts do not fit each other.
    pub fn from_parts(
        mut parts: ModelParts<A>,
        weights: CheckpointOverlay,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<(Self, Vec<LoadReport>)> {
        // Before a network is made that could be of any size.
        parts.config.validate()?;
        check_depths(&parts.config.depths(), weights.tensor_count())?;
        let size = A::image_preprocessor(&parts.processor).size();
        check_image_size(size, parts.config.image_size())?;
        let precisions = options.precisions_of(parts.config.precisions())?;
        parts.config.set_precisions(precisions);
        let mut network = parts.config.init(device);
        let weights = match &options.progress {
            Some(progress) => weights.with_progress(progress.clone()),
            None => weights,
        };
        let reports = weights.apply(&mut network, Strictness::Strict)?;
        Ok((Self::new(parts, network, device)?, reports))
    }
}

/// The last part of a folder's path, which is what a model calls itself.
#[must_use]
pub fn folder_name(folder: &Path) -> String {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    absolute.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
