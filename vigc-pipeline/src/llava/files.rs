//! Models whose parts were published one by one.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::Value;
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, CheckpointOverlay, LoadReport};
use vigc_llm::lora::LoraAdapter;
use vigc_llm::tokenizer::TextTokenizer;
use vigc_vision::clip_vit::ClipVitConfig;
use vigc_vision::image::{ClipImageProcessor, ClipImageProcessorConfig};

use super::config::is_hugging_face;
use super::keys::{self, LANGUAGE};
use super::load::Parts;
use super::{Llava, LlavaConfig, LoadOptions, TokenizerFiles};
use crate::model::{StoredGeneration, ids_of, name_of};
use crate::{Error, Result};

/// The files that a model's weights are in, each laid over those before it.
///
/// | | holds | for example |
/// |---|---|---|
/// | `model` | a whole model, or the language model alone; the tokenizer | `llava-hf/llava-1.5-7b-hf`, `liuhaotian/llava-v1.5-7b`, Vicuna |
/// | `vision` | the image encoder, where the model's files lack it | `openai/clip-vit-large-patch14-336` |
/// | `projector` | what pretraining trained, or what was trained beside low-rank updates; `config.json` beside it counts | `mm_projector.bin`, `non_lora_trainables.bin` |
/// | `adapter` | low-rank updates of the language model | a folder that PEFT saved |
///
/// ```no_run
/// use vigc_pipeline::llava::{Llava, LlavaFiles};
/// use vigc_pipeline::prelude::*;
///
/// # fn main() -> vigc_pipeline::Result<()> {
/// let files = LlavaFiles::new("llava-v1.5-7b").with_vision("clip-vit-large-patch14-336");
/// let options = LoadOptions::default().with_precisions(Precision::Bf16);
/// let (model, reports) = Llava::from_files(&files, &Device::default(), &options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LlavaFiles {
    model: PathBuf,
    vision: Option<PathBuf>,
    projector: Option<PathBuf>,
    adapters: Vec<PathBuf>,
}

impl LlavaFiles {
    /// The folder of a model.
    #[must_use]
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self { model: model.into(), vision: None, projector: None, adapters: Vec::new() }
    }

    /// Sets the folder of the image encoder.
    #[must_use]
    pub fn with_vision(mut self, vision: impl Into<PathBuf>) -> Self {
        self.vision = Some(vision.into());
        self
    }

    /// Lays a file with a projector on top.
    #[must_use]
    pub fn with_projector(mut self, projector: impl Into<PathBuf>) -> Self {
        self.projector = Some(projector.into());
        self
    }

    /// Adds low-rank updates to the language model, which name its layers as LLaMA does.
    #[must_use]
    pub fn with_adapter(mut self, adapter: impl Into<PathBuf>) -> Self {
        self.adapters.push(adapter.into());
        self
    }

    /// The configuration, of the projector's folder if it has one.
    fn config_path(&self) -> PathBuf {
        let beside = self.projector.as_deref().and_then(Path::parent);
        let beside = beside.map(|folder| folder.join("config.json"));
        beside.filter(|path| path.is_file()).unwrap_or_else(|| self.model.join("config.json"))
    }

    /// All files, under the network's names, without what nothing reads.
    fn layers(&self, vision_layers: usize) -> Result<CheckpointOverlay> {
        let open = |path: &Path, names| Ok::<_, Error>(Checkpoint::open(path)?.rename(&names));
        let model = open(&self.model, keys::TO_NETWORK)?;
        let mut language = model.scope(LANGUAGE);
        let mut all = vec![model];
        if let Some(vision) = &self.vision {
            let mut encoder = Checkpoint::open(vision)?;
            // A whole CLIP has its image encoder below this name.
            if encoder.keys().any(|name| name.starts_with("vision_model.")) {
                encoder.retain(|name| name.starts_with("vision_model."));
            }
            all.push(encoder.rename(&keys::CLIP));
        }
        if let Some(projector) = &self.projector {
            let trained = open(projector, keys::TO_NETWORK)?;
            language.extend(trained.scope(LANGUAGE));
            all.push(trained);
        }
        for folder in &self.adapters {
            let updated = LoraAdapter::from_dir(folder)?.merged(&language)?;
            language.extend(updated.clone());
            all.push(updated.rename(&keys::TO_NETWORK));
        }
        Ok(all.into_iter().fold(CheckpointOverlay::default(), |layers, mut checkpoint| {
            checkpoint.retain(|name| !keys::is_unread(name, vision_layers));
            layers.with(checkpoint)
        }))
    }

    /// Everything but the weights.
    fn parts(&self) -> Result<Parts> {
        let path = self.config_path();
        let file: Value = read_json(&path)?;
        let text_tokenizer = TextTokenizer::from_dir(&self.model)?;
        if is_hugging_face(&file) {
            ids_of(&self.model, &text_tokenizer)?;
        }
        let pads = image_aspect_ratio(&file, &path)?;
        let vision = self.vision.as_deref().map(vision_config).transpose()?;
        let config = LlavaConfig::read(file, vision).map_err(|problem| wrong(&path, problem))?;
        Ok(Parts {
            name: name_of(&self.model),
            processor: self.processor(&config, pads)?,
            config,
            text_tokenizer,
            generation: StoredGeneration::from_dir(&self.model)?,
            tokenizer_files: TokenizerFiles::read(&self.model)?,
        })
    }

    /// What the model's folder says, or else the encoder's. The original program's folders say only whether to pad.
    fn processor(&self, config: &LlavaConfig, pads: bool) -> Result<ClipImageProcessor> {
        let says = |folder: &&Path| {
            folder.join("preprocessor_config.json").is_file()
                || folder.join("processor_config.json").is_file()
        };
        let mut folders =
            [Some(self.model.as_path()), self.vision.as_deref()].into_iter().flatten();
        let processor = match folders.find(says) {
            Some(folder) => ClipImageProcessorConfig::from_dir(folder)?,
            None => {
                let side = u32::try_from(config.vision_config.image_size).unwrap_or(u32::MAX);
                ClipImageProcessorConfig::square(side)
            }
        };
        let pads = pads || processor.do_pad;
        Ok(ClipImageProcessor::new(processor.with_padding(pads))?)
    }
}

/// Whether the original program pads images to squares.
fn image_aspect_ratio(file: &Value, path: &Path) -> Result<bool> {
    match file.get("image_aspect_ratio").and_then(Value::as_str) {
        None | Some("square") => Ok(false),
        Some("pad") => Ok(true),
        Some(other) => {
            Err(wrong(path, format!("image_aspect_ratio is {other:?}, expected pad or square")))
        }
    }
}

/// The image encoder's part of a CLIP's configuration, or all of an encoder's own.
fn vision_config(folder: &Path) -> Result<ClipVitConfig> {
    let path = folder.join("config.json");
    let mut file: Value = read_json(&path)?;
    let vision = file.get_mut("vision_config").map(Value::take).unwrap_or(file);
    serde_json::from_value(vision).map_err(|source| json_error(&path, source))
}

fn wrong(path: &Path, problem: String) -> Error {
    json_error(path, serde::de::Error::custom(problem))
}

fn json_error(path: &Path, source: serde_json::Error) -> Error {
    vigc_core::Error::Json { path: path.to_owned(), source }.into()
}

impl Llava {
    /// Puts a model together from the files that its parts were published in, and reports what came of each.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be read, a tensor does not fit or one is missing in all files,
    /// [`Error::Llm`] if the tokenizer cannot be read or low-rank updates do not fit the language model,
    /// [`Error::Vision`] or [`Error::Config`] if parts do not fit each other.
    pub fn from_files(
        files: &LlavaFiles,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<(Self, Vec<LoadReport>)> {
        let parts = files.parts()?;
        let layers = files.layers(parts.config.vision_config.num_hidden_layers)?;
        Self::assemble(parts, layers, device, options)
    }
}
