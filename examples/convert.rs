//! Any model to one folder in Hugging Face's layout.
//!
//! ```text
//! cargo run --release --example convert -- --llm vicuna-7b-v1.1 --vision eva_vit_g.pth \
//!     --pretrained instruct_blip_vicuna7b_trimmed.pth --finetuned vigc7b_instrucblip_okvqa.pth \
//!     --bert bert-base-uncased --precision bf16 --out vigc-7b-okvqa
//! ```
//!
//! The low-rank updates of a trainer's file, alone, as a folder that PEFT opens:
//!
//! ```text
//! cargo run --release --example convert -- --adapter-from checkpoint_4.pth --base-model vicuna-7b-v1.1 --out vigc-lora
//! ```
//!
//! transformers opens a converted model, unless weights are in blocks (q8, q4): those are this project's own.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::path::{Path, PathBuf};

use anyhow::ensure;
use burn::tensor::DType;
use clap::{Parser, ValueEnum};
use vigc_pipeline::instruct_blip::read_updates;

/// Writes a model as one folder in Hugging Face's layout, or its low-rank updates as one in PEFT's.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    model: vigc_examples::ModelArgs,
    /// Write no model but the low-rank updates of the language model that a trainer's file or a folder of PEFT holds, as a
    /// folder that PEFT opens
    #[arg(long, value_name = "PATH", conflicts_with_all = ["model", "llm", "device", "precision", "dtype"])]
    adapter_from: Option<PathBuf>,
    /// What PEFT is told that the updates belong to: a folder, or owner/name of a language model [default: what the folder
    /// of PEFT says, else nothing]
    #[arg(long, value_name = "NAME", requires = "adapter_from")]
    base_model: Option<String>,
    /// The folder to write; it must not hold a model or low-rank updates yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What is stored in: norms and embeddings, and the weights that --precision leaves in f32
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Stored,
}

/// A type of numbers in a file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Stored {
    F32,
    F16,
    Bf16,
}

impl From<Stored> for DType {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::F32 => Self::F32,
            Stored::F16 => Self::F16,
            Stored::Bf16 => Self::BF16,
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(source) = &args.adapter_from {
        return save_updates(source, args.base_model.as_deref(), &args.out);
    }
    let weights = args.out.join("model.safetensors");
    ensure!(!weights.exists(), "{} is there already", weights.display());
    let model = args.model.open()?;
    model.save_pretrained(&args.out, args.dtype.into())?;
    let size = weights.metadata()?.len();
    println!(
        "{}: {:.2} GB, weights of linear layers in {}, the rest in {:?}",
        args.out.display(),
        size as f64 / 1e9,
        model.precisions(),
        args.dtype
    );
    Ok(())
}

fn save_updates(source: &Path, base_model: Option<&str>, out: &Path) -> anyhow::Result<()> {
    let weights = out.join("adapter_model.safetensors");
    ensure!(!weights.exists(), "{} is there already", weights.display());
    let mut adapter = read_updates(source)?;
    if let Some(name) = base_model {
        adapter = adapter.with_base_model(name);
    }
    adapter.save(out)?;
    let size = weights.metadata()?.len();
    let layers = adapter.layers().count();
    println!("{}: {:.2} MB, updates of {layers} layers", out.display(), size as f64 / 1e6);
    Ok(())
}
