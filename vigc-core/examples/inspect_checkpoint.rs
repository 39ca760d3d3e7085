//! Lists the tensors of a checkpoint: a Hugging Face folder, a safetensors file or a PyTorch file.
//!
//! ```text
//! cargo run --release -p vigc-core --example inspect_checkpoint -- model.safetensors [PREFIX]
//! ```
#![allow(clippy::print_stdout, reason = "an example prints to the terminal")]

use std::path::PathBuf;

use clap::Parser;
use vigc_core::weights::Checkpoint;

/// Lists the tensors of a checkpoint.
#[derive(Parser, Debug)]
struct Args {
    /// A Hugging Face folder, a safetensors file or a PyTorch file
    checkpoint: PathBuf,
    /// Lists only tensors whose names begin so
    prefix: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut checkpoint = Checkpoint::open(&args.checkpoint)?;
    if let Some(prefix) = args.prefix {
        checkpoint.retain(|name| name.starts_with(&prefix));
    }
    let (mut tensors, mut parameters, mut bytes) = (0, 0, 0);
    for name in checkpoint.keys() {
        if let (Some(shape), Some(dtype)) = (checkpoint.shape(name), checkpoint.dtype(name)) {
            let count: usize = shape.iter().product();
            println!("{:<6} {:<20} {name}", format!("{dtype:?}"), format!("{shape:?}"));
            tensors += 1;
            parameters += count;
            bytes += count * dtype.size();
        }
    }
    println!("{tensors} tensors, {parameters} numbers, {:.1} MiB", bytes as f64 / 1_048_576.0);
    Ok(())
}
