//! Models whose parts were published one by one.

use std::path::PathBuf;

use vigc_core::weights::{Layers, LoadReport, Strictness};
use vigc_llm::lora::{LoraAdapter, LoraConfig};

use super::{FileKind, Network, keys};
use crate::Result;

/// The files that a model's weights are in, each laid over those before it.
///
/// | | holds | for example |
/// |---|---|---|
/// | `llm` | the frozen language model | a folder with Vicuna v1.1 |
/// | `vision` | the frozen image encoder | `eva_vit_g.pth` |
/// | `pretrained` | Q-Former, queries, `ln_vision`, projection | `instruct_blip_vicuna7b_trimmed.pth` |
/// | `finetuned` | what a finetuning trained of these, and low-rank updates of the language model | `vigc7b_instrucblip_okvqa.pth` |
/// | `adapter` | low-rank updates of the language model | a folder that PEFT saved |
///
/// ```no_run
/// use vigc_pipeline::instruct_blip::ModelFiles;
///
/// let files = ModelFiles::new("vicuna-7b-v1.1", "eva_vit_g.pth", "instruct_blip_vicuna7b_trimmed.pth")
///     .with_finetuned("vigc7b_instrucblip_okvqa.pth");
/// ```
#[derive(Debug, Clone)]
pub struct ModelFiles {
    llm: PathBuf,
    vision: PathBuf,
    pretrained: Vec<PathBuf>,
    finetuned: Vec<PathBuf>,
    adapters: Vec<PathBuf>,
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

    /// Gives every parameter of a network its value and reports what came of each file.
    ///
    /// # Errors
    ///
    /// [`Error::FileKind`](crate::Error::FileKind) if a file is not what its place needs,
    /// [`Error::Core`](crate::Error::Core) if one cannot be read, a tensor does not fit or one is missing
    /// in all files, [`Error::Llm`](crate::Error::Llm) if low-rank updates do not fit the language model.
    pub fn load(&self, network: &mut Network) -> Result<Vec<LoadReport>> {
        let mut language = FileKind::Llama.open(&self.llm)?.scope(LANGUAGE);
        for folder in &self.adapters {
            LoraAdapter::from_dir(folder)?.merge_into(&mut language)?;
        }
        let mut upper = vec![FileKind::EvaVit.open(&self.vision)?];
        for file in self.pretrained.iter().chain(&self.finetuned) {
            let file = FileKind::Lavis.open(file)?;
            let trained = file.scope(LANGUAGE);
            if trained.keys().any(|key| key.contains(".lora_")) {
                LoraAdapter::new(LoraConfig::reference(), trained)?.merge_into(&mut language)?;
            }
            upper.push(file);
        }
        let bottom = language.rename(&keys::LLAMA);
        let layers = upper.into_iter().fold(Layers::default().with(bottom), Layers::with);
        Ok(layers.apply(network, Strictness::Strict)?)
    }
}

const LANGUAGE: &str = "language_model";
