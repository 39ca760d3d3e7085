//! What several examples share: the model, the device and how texts are generated.
#![allow(dead_code, reason = "no example uses all of it")]

#[cfg(feature = "hub")]
mod download;

use std::path::Path;

use anyhow::Context;
use burn::tensor::Device;
use clap::Args;
use vigc_pipeline::backend;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::vigc::{GenerationConfig, Strategy};

/// Which model, where.
#[derive(Args, Debug)]
pub(crate) struct ModelArgs {
    /// Folder of a model in Hugging Face's layout, or owner/name or owner/name@revision of one on its hub
    /// [default: the bundled vigc-mini]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Backend: flex, wgpu, cuda, vulkan, metal or rocm, if compiled in [default: the fastest present]
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
}

impl ModelArgs {
    /// Opens the model, fetched first if it has to be.
    pub(crate) fn open(&self) -> anyhow::Result<InstructBlip> {
        let device = match &self.device {
            Some(name) => backend::device(name)?,
            None => backend::default_device()?,
        };
        match &self.model {
            Some(name) => open_named(name, &device),
            None => Ok(InstructBlip::bundled(&device)?),
        }
    }
}

#[cfg(feature = "hub")]
fn open_named(name: &str, device: &Device) -> anyhow::Result<InstructBlip> {
    use vigc_pipeline::core::weights::hub::Hub;
    use vigc_pipeline::instruct_blip::ModelSource;

    match name.parse()? {
        ModelSource::Folder(folder) => open_folder(&folder, device),
        ModelSource::Repository(repo) => {
            let mut bars = download::Bars::default();
            InstructBlip::from_hub(&repo, &Hub::from_env(), &mut bars, device)
                .with_context(|| format!("cannot open {repo}, which is no folder, from the hub"))
        }
    }
}

#[cfg(not(feature = "hub"))]
fn open_named(name: &str, device: &Device) -> anyhow::Result<InstructBlip> {
    open_folder(name.as_ref(), device)
}

fn open_folder(folder: &Path, device: &Device) -> anyhow::Result<InstructBlip> {
    InstructBlip::from_dir(folder, device)
        .with_context(|| format!("cannot open the model {}", folder.display()))
}

/// How texts are generated.
#[derive(Args, Debug)]
pub(crate) struct DecodeArgs {
    /// greedy, beam:K or nucleus:P [default: what the model's folder suggests]
    #[arg(long, value_name = "STRATEGY")]
    pub(crate) decode: Option<Strategy>,
    /// Longest text, in tokens [default: what the model's folder suggests]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_new_tokens: Option<u32>,
}

impl DecodeArgs {
    /// Settings on top of a default.
    pub(crate) fn apply(&self, mut config: GenerationConfig) -> GenerationConfig {
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
