//! Reading a Hugging Face folder.

use std::path::Path;

use burn::tensor::Device;
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, CheckpointOverlay, LoadReport, Strictness};
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};
use vigc_vision::image::ImageProcessor;

use super::{InstructBlip, InstructBlipConfig, LoadOptions, Network, TokenizerFiles, keys};
use crate::Result;
use crate::model::{StoredGeneration, StoredIds, check_picture_size, ids_of, name_of};

/// Everything of a model but its weights.
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) config: InstructBlipConfig,
    pub(super) text_tokenizer: TextTokenizer,
    pub(super) qformer_tokenizer: BertTokenizer,
    pub(super) processor: ImageProcessor,
    pub(super) generation: StoredGeneration,
    /// What the language model's own configuration names.
    pub(super) ids: StoredIds,
    pub(super) tokenizer_files: TokenizerFiles,
}

impl InstructBlip {
    /// Reads `config.json`, the weights, both tokenizers, the image processor and, if there is one,
    /// `generation_config.json` from a folder in Hugging Face's layout.
    ///
    /// Weights become f32, whatever they are stored in; [`InstructBlip::from_dir_with`] can keep them smaller.
    ///
    /// # Errors
    ///
    /// [`Error::Core`](crate::Error::Core), [`Error::Llm`](crate::Error::Llm) or
    /// [`Error::Vision`](crate::Error::Vision) for a file that is missing or damaged,
    /// [`Error::Config`](crate::Error::Config) for parts that do not fit each other.
    pub fn from_dir(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::from_dir_with(folder, device, &LoadOptions::default())
    }

    /// As [`InstructBlip::from_dir`], with weights in the precisions that are asked for. They are converted
    /// while they are read, one tensor at a time.
    ///
    /// # Errors
    ///
    /// As [`InstructBlip::from_dir`].
    pub fn from_dir_with(
        folder: impl AsRef<Path>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let folder = folder.as_ref();
        let text_tokenizer = TextTokenizer::from_dir(folder)?;
        let ids = ids_of(folder, &text_tokenizer)?;
        let parts = Parts {
            name: name_of(folder),
            config: read_json(folder.join("config.json"))?,
            text_tokenizer,
            qformer_tokenizer: BertTokenizer::from_dir(folder.join("qformer_tokenizer"))?,
            processor: ImageProcessor::from_dir(folder)?,
            generation: StoredGeneration::from_dir(folder)?,
            ids,
            tokenizer_files: TokenizerFiles::read(folder)?,
        };
        Self::from_hugging_face(parts, &Checkpoint::open(folder)?, device, options)
    }

    /// Puts the parts together with weights under Hugging Face's names.
    pub(super) fn from_hugging_face(
        parts: Parts,
        weights: &Checkpoint,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let name = parts.name.clone();
        let layers = CheckpointOverlay::default().with(weights.clone().rename(&keys::HUGGING_FACE));
        let (model, reports) = Self::assemble(parts, layers, device, options)?;
        for tensor in reports.iter().flat_map(|report| &report.unused) {
            tracing::warn!("{name}: nothing reads the tensor {tensor}");
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
        check_picture_size(parts.processor.config().size, parts.config.vision_config.image_size)?;
        parts.config.precisions = options.precisions_of(parts.config.precisions)?;
        let mut network = parts.config.init(device);
        let weights = match &options.progress {
            Some(progress) => weights.with_progress(progress.clone()),
            None => weights,
        };
        let reports = weights.apply(&mut network, Strictness::Strict)?;
        let words = parts.config.text_config.vocab_size;
        let positions = parts.config.qformer_config.max_position_embeddings;
        let model = Self {
            name: parts.name,
            dummy_bos: parts.ids.dummy_bos(&parts.text_tokenizer, words),
            config: parts.config,
            network,
            text_tokenizer: parts.text_tokenizer,
            // A network may have fewer positions than the reference reads tokens.
            qformer_tokenizer: parts
                .qformer_tokenizer
                .with_max_len(positions.min(BertTokenizer::MAX_LEN)),
            processor: parts.processor,
            generation: parts.generation.into_config(),
            tokenizer_files: parts.tokenizer_files,
            device: device.clone(),
        };
        Ok((model, reports))
    }
}

/// Gives every parameter of a network its value from a checkpoint with Hugging Face's names.
///
/// # Errors
///
/// [`Error::Core`](crate::Error::Core) if one is missing or has another shape.
pub fn load_network(network: &mut Network, weights: &Checkpoint) -> Result<LoadReport> {
    Ok(weights.load(network, &keys::HUGGING_FACE, Strictness::Strict)?)
}
