//! A model named by the files that its parts were published in.

use std::path::PathBuf;

use clap::Args;
use vigc_pipeline::instruct_blip::ModelFiles;

/// The parts of a model, instead of a whole one.
#[derive(Args, Debug)]
#[group(id = "parts", conflicts_with = "model")]
pub(crate) struct PartsArgs {
    /// Folder of the language model, Vicuna v1.1, instead of --model; the other parts have to be named, too
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
    /// The files, if they are named.
    pub(crate) fn files(&self) -> Option<ModelFiles> {
        let Self { llm, vision, pretrained, bert, .. } = self;
        let (llm, vision) = (llm.as_ref()?, vision.as_ref()?);
        let mut files =
            ModelFiles::new(llm, vision, pretrained.as_ref()?).with_bert(bert.as_ref()?);
        if let Some(finetuned) = &self.finetuned {
            files = files.with_finetuned(finetuned);
        }
        if let Some(adapter) = &self.adapter {
            files = files.with_adapter(adapter);
        }
        Some(files)
    }
}
