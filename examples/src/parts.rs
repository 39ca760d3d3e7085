//! Models named by the files that their parts are in.

use std::path::{Path, PathBuf};

#[cfg(feature = "hub")]
use anyhow::Context;
use clap::Args;
#[cfg(feature = "hub")]
use vigc_pipeline::core::weights::hub::{Files, Hub};
use vigc_pipeline::instruct_blip::ModelFiles;
use vigc_pipeline::llava::LlavaFiles;
#[cfg(feature = "hub")]
use vigc_pipeline::model::fetch_part;

/// The parts of an InstructBLIP, instead of a whole one. All may also be repositories on the hub, owner/name.
#[derive(Args, Debug)]
#[group(id = "parts", conflicts_with = "model")]
pub struct PartsArgs {
    /// Folder of the language model, Vicuna v1.1, instead of --model; the other parts have to be named, too. Parts may
    /// also be repositories on the hub, owner/name
    #[arg(long, value_name = "DIR", group = "base", requires_all = ["vision", "pretrained", "bert"])]
    pub llm: Option<PathBuf>,
    /// Q-Former and projection, for example `instruct_blip_vicuna7b_trimmed.pth`
    #[arg(long, value_name = "FILE", requires = "llm")]
    pub pretrained: Option<PathBuf>,
    /// What a finetuning trained of these, for example `vigc7b_instrucblip_okvqa.pth`
    #[arg(long, value_name = "FILE", requires = "llm")]
    pub finetuned: Option<PathBuf>,
    /// Folder with the Q-Former's words: vocab.txt or tokenizer.json of bert-base-uncased
    #[arg(long, value_name = "DIR", requires = "llm")]
    pub bert: Option<PathBuf>,
}

/// Parts of a LLaVA that lie beside it; an InstructBLIP's have the same names.
#[derive(Args, Debug)]
pub struct BesideArgs {
    /// The image encoder: `eva_vit_g.pth` beside --llm; beside --model the folder of the CLIP that a LLaVA's lacks
    #[arg(long, value_name = "PATH", requires = "base")]
    pub vision: Option<PathBuf>,
    /// A projector, laid over that of the LLaVA which --model names: `projector.safetensors` of `train`, `mm_projector.bin`
    #[arg(long, value_name = "FILE", requires = "model")]
    pub projector: Option<PathBuf>,
    /// Folder of low-rank updates of the language model, as `train` and PEFT save them; beside --llm or a LLaVA's --model
    #[arg(long, value_name = "DIR", requires = "base")]
    pub adapter: Option<PathBuf>,
}

impl PartsArgs {
    /// The files, if they are named; fetched first if they have to be.
    pub fn files(&self, beside: &BesideArgs) -> anyhow::Result<Option<ModelFiles>> {
        let (Some(llm), Some(pretrained)) = (&self.llm, &self.pretrained) else { return Ok(None) };
        let Some(vision) = &beside.vision else { return Ok(None) };
        let mut files = ModelFiles::new(found(llm)?, found(vision)?, found(pretrained)?);
        if let Some(bert) = &self.bert {
            files = files.with_bert(words(bert)?);
        }
        if let Some(finetuned) = &self.finetuned {
            files = files.with_finetuned(found(finetuned)?);
        }
        if let Some(adapter) = &beside.adapter {
            files = files.with_adapter(adapter);
        }
        Ok(Some(files))
    }
}

impl BesideArgs {
    /// A LLaVA with these parts, if any is named; fetched first if it has to be.
    pub fn files(&self, model: &str) -> anyhow::Result<Option<LlavaFiles>> {
        if self.vision.is_none() && self.projector.is_none() && self.adapter.is_none() {
            return Ok(None);
        }
        let mut files = LlavaFiles::new(found(Path::new(model))?);
        if let Some(vision) = &self.vision {
            files = files.with_vision(found(vision)?);
        }
        if let Some(projector) = &self.projector {
            files = files.with_projector(projector);
        }
        if let Some(adapter) = &self.adapter {
            files = files.with_adapter(adapter);
        }
        Ok(Some(files))
    }
}

/// A file or folder that is there, or a repository's.
#[cfg(feature = "hub")]
fn found(part: &Path) -> anyhow::Result<PathBuf> {
    fetched(part, &Files::Model)
}

/// As [`found`], but of BERT nothing is needed but its words.
#[cfg(feature = "hub")]
fn words(bert: &Path) -> anyhow::Result<PathBuf> {
    fetched(bert, &Files::Named(vec!["vocab.txt".to_owned()]))
}

#[cfg(feature = "hub")]
fn fetched(part: &Path, files: &Files) -> anyhow::Result<PathBuf> {
    let name = part.to_string_lossy();
    let (false, Ok(repo)) = (part.exists(), name.parse()) else { return Ok(part.to_owned()) };
    fetch_part(&repo, &Hub::from_env(), files, &crate::download::bars())
        .with_context(|| format!("{name} is not there, and cannot be fetched from the hub"))
}

#[cfg(not(feature = "hub"))]
fn found(part: &Path) -> anyhow::Result<PathBuf> {
    Ok(part.to_owned())
}

#[cfg(not(feature = "hub"))]
use found as words;
