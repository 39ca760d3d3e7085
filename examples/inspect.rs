//! What a file of weights is, and what it holds.
//!
//! ```text
//! cargo run --release --example inspect -- eva_vit_g.pth
//! ```
//!
//! Reads names, types and shapes only. Names that differ in numbers alone share a line.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;
use vigc_pipeline::core::weights::Checkpoint;
use vigc_pipeline::instruct_blip::FileKind;

/// Says what a file of weights is, and what it holds.
#[derive(Parser, Debug)]
struct Args {
    /// A Hugging Face folder, a `.safetensors` file or a PyTorch file
    path: PathBuf,
    /// Every tensor on a line of its own
    #[arg(long)]
    all: bool,
}

/// Tensors whose names differ in numbers alone.
#[derive(Default)]
struct Group {
    count: usize,
    becomes: String,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let checkpoint = Checkpoint::open(&args.path)?;
    let kind = FileKind::of(&checkpoint);
    let network_name = kind.map(FileKind::network_names);
    let what = kind.map_or_else(|| "of no kind that is known".to_owned(), |kind| kind.to_string());
    println!("{}: {what}", args.path.display());

    // By what they are, then by shape: one group may hold layers of several widths.
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let (mut tensors, mut elements) = (0, 0);
    for name in checkpoint.keys() {
        let shape = checkpoint.shape(name).unwrap_or_default();
        let dtype = checkpoint.dtype(name).map(|dtype| format!("{dtype:?}")).unwrap_or_default();
        let becomes =
            network_name.as_ref().map_or_else(|| name.to_owned(), |becomes| becomes(name));
        let shown = |name: &str| if args.all { name.to_owned() } else { numberless(name) };
        let group = groups.entry((shown(name), format!("{dtype} {shape:?}"))).or_default();
        group.count += 1;
        group.becomes = shown(&becomes);
        tensors += 1;
        elements += shape.iter().product::<usize>();
    }
    for ((name, what), group) in &groups {
        let count = if group.count == 1 { String::new() } else { format!("{} x ", group.count) };
        println!("  {name}  {count}{what}");
        if group.becomes != *name {
            println!("    -> {}", group.becomes);
        }
    }
    println!("{tensors} tensors, {:.3} million numbers", elements as f64 / 1e6);
    Ok(())
}

/// The name with `*` for every number between dots.
fn numberless(name: &str) -> String {
    let part = |part: &str| match part.parse::<usize>() {
        Ok(_) => "*".to_owned(),
        Err(_) => part.to_owned(),
    };
    name.split('.').map(part).collect::<Vec<_>>().join(".")
}
