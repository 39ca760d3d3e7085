//! What several examples share: the model, the device and how texts are generated.
#![allow(clippy::print_stderr, reason = "an example talks to the terminal")]

mod parts;

#[cfg(feature = "hub")]
mod download;

use std::path::Path;

use anyhow::Context;
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::backend;
use vigc_pipeline::core::progress::Progress;
use vigc_pipeline::core::weights::LoadReport;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llava::Llava;
use vigc_pipeline::model::{LoadOptions, Precisions};
use vigc_pipeline::vigc::{BeamEnds, GenerationConfig, Strategy};

/// Which model, where.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// Folder of an InstructBLIP or a LLaVA in Hugging Face's layout, or owner/name or owner/name@revision of one on its hub
    /// [default: the bundled vigc-mini]
    #[arg(long, value_name = "MODEL", group = "base")]
    pub model: Option<String>,
    /// The parts of an InstructBLIP, instead of a whole one.
    #[command(flatten)]
    pub parts: parts::PartsArgs,
    /// Parts that replace or complete the model's own.
    #[command(flatten)]
    pub beside: parts::BesideArgs,
    /// Backend: flex, wgpu, cuda, vulkan, metal or rocm, if compiled in [default: the fastest present]
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// What weights are kept in: f32, f16, bf16, q8 or q4, for all parts or one by one, as in
    /// `bf16,language=q8` (parts: vision, connector, language) [default: f32]
    #[arg(long, value_name = "PRECISION")]
    pub precision: Option<Precisions>,
}

impl ModelArgs {
    /// Opens the model, fetched first if it has to be.
    ///
    /// # Errors
    ///
    /// If there is no such device, or a file of the model cannot be fetched or read.
    pub fn open(&self) -> anyhow::Result<AnyModel> {
        let device = match &self.device {
            Some(name) => backend::device(name)?,
            None => backend::default_device()?,
        };
        let options = LoadOptions { precisions: self.precision, progress: None };
        if self.model.is_none() && self.parts.llm.is_none() {
            return Ok(InstructBlip::bundled_with(&device, &options)?.into());
        }
        let bar = loading_bar()?;
        let shown = bar.clone();
        let options = options.with_progress(Progress::new(move |weights| {
            shown.set_length(weights.total);
            shown.set_position(weights.done);
        }));
        let model = self.read(&device, &options);
        bar.finish_and_clear();
        model
    }

    /// Opens the model, which has to be an InstructBLIP.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and if it is a LLaVA.
    pub fn open_instruct_blip(&self) -> anyhow::Result<InstructBlip> {
        match self.open()? {
            AnyModel::InstructBlip(model) => Ok(*model),
            AnyModel::Llava(model) => {
                anyhow::bail!("{} is a LLaVA, expected an InstructBLIP", model.name())
            }
        }
    }

    fn read(&self, device: &Device, options: &LoadOptions) -> anyhow::Result<AnyModel> {
        if let Some(files) = self.parts.files(&self.beside)? {
            let (model, reports) = InstructBlip::from_files(&files, device, options)?;
            tell(reports);
            return Ok(model.into());
        }
        let name = self.model.as_deref().context("no model is named")?;
        if let Some(files) = self.beside.files(name)? {
            let (model, reports) = Llava::from_files(&files, device, options)
                .with_context(|| format!("cannot open {name} as a LLaVA with parts beside it"))?;
            tell(reports);
            return Ok(model.into());
        }
        open_named(name, device, options)
    }
}

/// Says what came of each file.
fn tell(reports: Vec<LoadReport>) {
    for report in reports {
        let LoadReport { path, applied, overwritten, unused, copies, .. } = report;
        let [applied, overwritten, unused] = [applied.len(), overwritten.len(), unused.len()];
        let copies = match copies.len() {
            0 => String::new(),
            copies => format!(", {copies} copies of others"),
        };
        eprintln!(
            "{}: {applied} tensors, {overwritten} given by later files, {unused} unused{copies}",
            path.display()
        );
    }
}

/// Weights read so far, with rate and remaining time.
fn loading_bar() -> anyhow::Result<ProgressBar> {
    let style = "weights {bytes}/{total_bytes} [{elapsed} < {eta}] {wide_bar} {bytes_per_sec}";
    Ok(ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?))
}

#[cfg(feature = "hub")]
fn open_named(name: &str, device: &Device, options: &LoadOptions) -> anyhow::Result<AnyModel> {
    use vigc_pipeline::core::weights::hub::Hub;
    use vigc_pipeline::model::ModelSource;

    match name.parse()? {
        ModelSource::Folder(folder) => open_folder(&folder, device, options),
        ModelSource::Repository(repo) => {
            AnyModel::from_hub(&repo, &Hub::from_env(), &download::bars(), device, options)
                .with_context(|| format!("cannot open {repo}, which is no folder, from the hub"))
        }
    }
}

#[cfg(not(feature = "hub"))]
fn open_named(name: &str, device: &Device, options: &LoadOptions) -> anyhow::Result<AnyModel> {
    open_folder(name.as_ref(), device, options)
}

fn open_folder(folder: &Path, device: &Device, options: &LoadOptions) -> anyhow::Result<AnyModel> {
    AnyModel::from_dir_with(folder, device, options)
        .with_context(|| format!("cannot open the model {}", folder.display()))
}

/// How texts are generated.
#[derive(Args, Debug)]
pub struct DecodeArgs {
    /// greedy, beam:K or nucleus:P [default: what the model's folder suggests]
    #[arg(long, value_name = "STRATEGY")]
    pub decode: Option<Strategy>,
    /// Longest text, in tokens [default: what the model's folder suggests]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_new_tokens: Option<u32>,
}

/// Where beams end while an answer is corrected.
#[derive(ValueEnum, Debug, Clone, Copy)]
pub enum BeamEndsArg {
    /// At the end of the text, as in the reference
    Text,
    /// At the end of the sentence or paragraph that is kept: faster, sometimes with other rows
    Unit,
}

impl From<BeamEndsArg> for BeamEnds {
    fn from(ends: BeamEndsArg) -> Self {
        match ends {
            BeamEndsArg::Text => Self::Text,
            BeamEndsArg::Unit => Self::Unit,
        }
    }
}

impl DecodeArgs {
    /// Settings on top of a default.
    #[must_use]
    pub fn apply(&self, mut config: GenerationConfig) -> GenerationConfig {
        if let Some(strategy) = self.decode {
            config = config.with_strategy(strategy).with_n_best(1);
        }
        if let Some(most) = self.max_new_tokens {
            let least = config.min_new_tokens.min(most as usize);
            config = config.with_max_new_tokens(most as usize).with_min_new_tokens(least);
        }
        config
    }
}
