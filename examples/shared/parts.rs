//! A model named by the files that its parts were published in.

use std::path::{Path, PathBuf};

#[cfg(feature = "hub")]
use anyhow::Context;
use clap::Args;
#[cfg(feature = "hub")]
use vigc_pipeline::core::weights::hub::{Files, Hub};
use vigc_pipeline::instruct_blip::ModelFiles;
#[cfg(feature = "hub")]
use vigc_pipeline::instruct_blip::fetch_part;

/// The parts of a model, instead of a whole one. All but the adapter may also be a repository on the hub, owner/name.
#[derive(Args, Debug)]
#[group(id = "parts", conflicts_with = "model")]
pub(crate) struct PartsArgs {
    /// Folder of the language model, Vicuna v1.1, instead of --model; the other parts have to be named, too. Parts may
    /// also be repositories on the hub, owner/name
    #[arg(long, value_name = "DIR", requires_all = ["vision", "pretrained", "bert"])]
    pub(crate) llm: Option<PathBuf>,
    /// The image encoder, `eva_vit_g.pth`
    #[arg(long, value_name = "FILE", requires = "llm")]
    pub(crate) vision: Option<PathBuf>,
    /// Q-Former and projection, for example `instruct_blip_vicuna7b_trimmed.pth`
    #[arg(long, value_name = "FILE", requires = "llm")]
    pub(crate) pretrained: Option<PathBuf>,
    /// What a finetuning trained of these, for example `vigc7b_instrucblip_okvqa.pth`
    #[arg(long, value_name = "FILE", requires = "llm")]
    pub(crate) finetuned: Option<PathBuf>,
    /// Folder of low-rank updates of the language model, as PEFT saves them
    #[arg(long, value_name = "DIR", requires = "llm")]
    pub(crate) adapter: Option<PathBuf>,
    /// Folder with the Q-Former's words: vocab.txt or tokenizer.json of bert-base-uncased
    #[arg(long, value_name = "DIR", requires = "llm")]
    pub(crate) bert: Option<PathBuf>,
}

impl PartsArgs {
    /// The files, if they are named; fetched first if they have to be.
    pub(crate) fn files(&self) -> anyhow::Result<Option<ModelFiles>> {
        let Self { llm: Some(llm), vision: Some(vision), pretrained: Some(pretrained), .. } = self
        else {
            return Ok(None);
        };
        let mut files = ModelFiles::new(found(llm)?, found(vision)?, found(pretrained)?);
        if let Some(bert) = &self.bert {
            files = files.with_bert(words(bert)?);
        }
        if let Some(finetuned) = &self.finetuned {
            files = files.with_finetuned(found(finetuned)?);
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
    let mut bars = super::download::Bars::default();
    fetch_part(&repo, &Hub::from_env(), files, &mut bars)
        .with_context(|| format!("{name} is not there, and cannot be fetched from the hub"))
}

#[cfg(not(feature = "hub"))]
fn found(part: &Path) -> anyhow::Result<PathBuf> {
    Ok(part.to_owned())
}

#[cfg(not(feature = "hub"))]
use found as words;
