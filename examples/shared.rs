//! What several examples share: the model, the device and how texts are generated.
#![allow(dead_code, reason = "no example uses all of it")]

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use vigc_pipeline::backend;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::vigc::{GenerationConfig, Strategy};

/// Which model, where.
#[derive(Args, Debug)]
pub(crate) struct ModelArgs {
    /// Folder of a model in Hugging Face's layout [default: the bundled vigc-mini]
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Backend: flex, wgpu, cuda, vulkan, metal or rocm, if compiled in [default: the fastest present]
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
}

impl ModelArgs {
    /// Opens the model.
    pub(crate) fn open(&self) -> anyhow::Result<InstructBlip> {
        let device = match &self.device {
            Some(name) => backend::device(name)?,
            None => backend::default_device()?,
        };
        let Some(folder) = &self.model else { return Ok(InstructBlip::bundled(&device)?) };
        InstructBlip::from_dir(folder, &device)
            .with_context(|| format!("cannot open the model {}", folder.display()))
    }
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
