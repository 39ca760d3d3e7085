//! Models whose parts were published one by one.

use std::path::PathBuf;

use burn::tensor::Device;
use vigc_core::files::read_json;
use vigc_core::weights::{Checkpoint, CheckpointOverlay, LoadReport, Strictness};
use vigc_llm::llama::LlamaConfig;
use vigc_llm::lora::{LoraAdapter, LoraConfig, is_low_rank};
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};
use vigc_vision::image::{ImageProcessor, ImageProcessorConfig};

use super::keys::{self, LANGUAGE};
use super::load::Parts;
use super::{FileKind, InstructBlip, InstructBlipConfig, LoadOptions, Network, TokenizerFiles};
use crate::model::{StoredGeneration, StoredIds, name_of};
use crate::{Error, Result};

/// The files that a model's weights are in, each laid over those before it.
///
/// | | holds | for example |
/// |---|---|---|
/// | `llm` | the frozen language model | a folder with Vicuna v1.1 |
/// | `vision` | the frozen image encoder | `eva_vit_g.pth` |
/// | `pretrained` | Q-Former, queries, `ln_vision`, projection | `instruct_blip_vicuna7b_trimmed.pth` |
/// | `finetuned` | what a finetuning trained of these, and low-rank updates of the language model | `vigc7b_instrucblip_okvqa.pth` |
/// | `adapter` | low-rank updates of the language model, added to whatever the files before make it | a folder that PEFT saved |
/// | `bert` | the Q-Former's words, `vocab.txt` or `tokenizer.json` | a folder with `bert-base-uncased` |
///
/// ```no_run
/// use vigc_pipeline::instruct_blip::ModelFiles;
/// use vigc_pipeline::prelude::*;
///
/// # fn main() -> vigc_pipeline::Result<()> {
/// let files = ModelFiles::new("vicuna-7b-v1.1", "eva_vit_g.pth", "instruct_blip_vicuna7b_trimmed.pth")
///     .with_finetuned("vigc7b_instrucblip_okvqa.pth")
///     .with_bert("bert-base-uncased");
/// let options = LoadOptions::default().with_precisions(Precision::Bf16);
/// let (model, reports) = InstructBlip::from_files(&files, &Device::default(), &options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ModelFiles {
    llm: PathBuf,
    vision: PathBuf,
    pretrained: Vec<PathBuf>,
    finetuned: Vec<PathBuf>,
    adapters: Vec<PathBuf>,
    bert: Option<PathBuf>,
    config: Option<InstructBlipConfig>,
}

impl ModelFiles {
    /// The three parts of a model.
    #[must_use]
    pub fn new(
        llm: impl Into<PathBuf>,
        vision: impl Into<PathBuf>,
        pretrained: impl Into<PathBuf>,
    ) -> Self {
        Self {
            llm: llm.into(),
            vision: vision.into(),
            pretrained: vec![pretrained.into()],
            finetuned: Vec::new(),
            adapters: Vec::new(),
            bert: None,
            config: None,
        }
    }

    /// Lays what a finetuning trained on top.
    #[must_use]
    pub fn with_finetuned(mut self, finetuned: impl Into<PathBuf>) -> Self {
        self.finetuned.push(finetuned.into());
        self
    }

    /// Adds low-rank updates to the language model.
    #[must_use]
    pub fn with_adapter(mut self, adapter: impl Into<PathBuf>) -> Self {
        self.adapters.push(adapter.into());
        self
    }

    /// Sets where the Q-Former's words are.
    #[must_use]
    pub fn with_bert(mut self, bert: impl Into<PathBuf>) -> Self {
        self.bert = Some(bert.into());
        self
    }

    /// Sets the shape of the network, which is the published one otherwise, around a language model as its
    /// folder's `config.json` says.
    #[must_use]
    pub fn with_config(mut self, config: InstructBlipConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Gives every parameter of a network its value and reports what came of each file, adapters last. Weights with
    /// low-rank updates count as given by the file of the updates.
    ///
    /// # Errors
    ///
    /// [`Error::FileKind`](crate::Error::FileKind) if a file is not what its place needs,
    /// [`Error::Core`](crate::Error::Core) if one cannot be read, a tensor does not fit or one is missing
    /// in all files, [`Error::Llm`](crate::Error::Llm) if low-rank updates do not fit the language model.
    pub fn load(&self, network: &mut Network) -> Result<Vec<LoadReport>> {
        Ok(self.layers()?.0.apply(network, Strictness::Strict)?)
    }

    /// The special tokens that the language model's folder names for generation, if any.
    fn stored_ids(&self) -> Result<StoredIds> {
        let names = ["generation_config.json", "config.json"].map(|name| self.llm.join(name));
        match names.iter().find(|path| path.is_file()) {
            Some(path) => Ok(read_json(path)?),
            None => Ok(StoredIds::default()),
        }
    }

    /// All files, and the language model that they make up, under its own names.
    fn layers(&self) -> Result<(CheckpointOverlay, Checkpoint)> {
        let mut language = FileKind::Llama.open(&self.llm)?.scope(LANGUAGE);
        let bottom = language.clone().rename(&keys::LLAMA);
        let mut layers =
            CheckpointOverlay::default().with(bottom).with(FileKind::EvaVit.open(&self.vision)?);
        for file in self.pretrained.iter().chain(&self.finetuned) {
            let mut file = FileKind::Lavis.open(file)?;
            let mut trained = file.scope(LANGUAGE);
            if trained.keys().any(is_low_rank) {
                trained = LoraAdapter::new(LoraConfig::reference(), trained)?.merged(&language)?;
                file.retain(|name| !is_low_rank(name));
            }
            language.extend(trained.clone());
            file.extend(trained.rename(&keys::LLAMA));
            layers = layers.with(file);
        }
        for folder in &self.adapters {
            let updated = LoraAdapter::from_dir(folder)?.merged(&language)?;
            language.extend(updated.clone());
            layers = layers.with(updated.rename(&keys::LLAMA));
        }
        Ok((layers, language))
    }

    /// The shape of the network, with as many words as there are embeddings.
    fn shape(&self, language: &Checkpoint) -> Result<InstructBlipConfig> {
        let mut config = match &self.config {
            Some(config) => config.clone(),
            None => {
                InstructBlipConfig::lavis(read_json::<LlamaConfig>(self.llm.join("config.json"))?)
            }
        };
        if let Some(&[words, _]) = language.shape("model.embed_tokens.weight") {
            config.text_config.vocab_size = words;
        }
        Ok(config)
    }
}

impl InstructBlip {
    /// Puts a model together from the files that its parts were published in, and reports what came of each.
    ///
    /// The special tokens, the picture size and the settings of generation are the reference's: every text begins and ends
    /// with `</s>`, five beams with a repetition penalty of 1.5 (`blip2_vicuna_instruct.py`).
    ///
    /// # Errors
    ///
    /// Those of [`ModelFiles::load`]; [`Error::Config`] if no words of the Q-Former are named or parts do not fit each
    /// other, [`Error::Llm`] if a tokenizer cannot be read.
    pub fn from_files(
        files: &ModelFiles,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<(Self, Vec<LoadReport>)> {
        let (layers, language) = files.layers()?;
        let config = files.shape(&language)?;
        let bert = files.bert.as_ref().ok_or_else(|| Error::Config {
            field: "bert",
            problem: "is not set, expected the folder of bert-base-uncased's vocab.txt".to_owned(),
        })?;
        let side = u32::try_from(config.vision_config.image_size).unwrap_or(u32::MAX);
        let parts = Parts {
            name: files.finetuned.last().or(files.pretrained.last()).map_or_else(
                || name_of(&files.llm),
                |file| file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            ),
            config,
            text_tokenizer: TextTokenizer::vicuna_from_dir(&files.llm)?,
            qformer_tokenizer: BertTokenizer::from_dir(bert)?,
            processor: ImageProcessor::new(ImageProcessorConfig::square(side))?,
            generation: StoredGeneration::reference(),
            ids: files.stored_ids()?,
            tokenizer_files: TokenizerFiles::of(&files.llm, bert)?,
        };
        Self::assemble(parts, layers, device, options)
    }
}
