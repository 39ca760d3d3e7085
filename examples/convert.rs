//! Any model to one folder in Hugging Face's layout.
//!
//! ```text
//! cargo run --release --example convert -- --llm vicuna-7b-v1.1 --vision eva_vit_g.pth \
//!     --pretrained instruct_blip_vicuna7b_trimmed.pth --finetuned vigc7b_instrucblip_okvqa.pth \
//!     --bert bert-base-uncased --precision bf16 --out vigc-7b-okvqa
//! ```
//!
//! transformers opens the result, unless weights are in blocks (q8, q4): those are this project's own.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

mod shared;

use std::path::PathBuf;

use anyhow::ensure;
use burn::tensor::DType;
use clap::{Parser, ValueEnum};

/// Writes a model as one folder in Hugging Face's layout.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    model: shared::ModelArgs,
    /// The folder to write; it must not hold a model yet
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
    let weights = args.out.join("model.safetensors");
    ensure!(!weights.exists(), "{} is there already", weights.display());
    let model = args.model.open()?;
    model.save_pretrained(&args.out, args.dtype.into())?;
    let size = weights.metadata()?.len();
    println!(
        "{}: {:.2} GB, weights of linear layers in {}, the rest in {:?}",
        args.out.display(),
        size as f64 / 1e9,
        model.config().precisions,
        args.dtype
    );
    Ok(())
}
