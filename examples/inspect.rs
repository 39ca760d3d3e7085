//! What a file of weights is, and what it holds.
//!
//! ```text
//! cargo run --release --example inspect -- eva_vit_g.pth
//! ```
//!
//! Reads names, types and shapes only, and low-rank updates that a file holds twice, to compare them. Names that differ in numbers alone share a line.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::collections::{BTreeMap, BTreeSet};
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
    is_copy: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let checkpoint = Checkpoint::open(&args.path)?;
    let kind = FileKind::of(&checkpoint);
    let network_name = kind.map(FileKind::network_names);
    let what = kind.map_or_else(|| "of no kind that is known".to_owned(), |kind| kind.to_string());
    println!("{}: {what}", args.path.display());
    let unified = match kind {
        Some(kind) => kind.without_copies(checkpoint.clone())?,
        None => checkpoint.clone(),
    };
    let updated = unified.keys().filter(|name| name.contains(".lora_A.")).count();
    if updated > 0 {
        println!("low-rank updates of {updated} layers of the language model");
    }
    let copies: BTreeSet<_> = unified.copies().iter().map(String::as_str).collect();

    // By what they are, then by shape: one group may hold layers of several widths.
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let (mut tensors, mut elements, mut copied) = (0, 0, 0);
    for name in checkpoint.keys() {
        let shape = checkpoint.shape(name).unwrap_or_default();
        let dtype = checkpoint.dtype(name).map(|dtype| format!("{dtype:?}")).unwrap_or_default();
        let becomes =
            network_name.as_ref().map_or_else(|| name.to_owned(), |becomes| becomes(name));
        let shown = |name: &str| if args.all { name.to_owned() } else { numberless(name) };
        let group = groups.entry((shown(name), format!("{dtype} {shape:?}"))).or_default();
        group.count += 1;
        group.becomes = shown(&becomes);
        group.is_copy = copies.contains(name);
        let numbers = shape.iter().product::<usize>();
        tensors += 1;
        elements += numbers;
        copied += if group.is_copy { numbers } else { 0 };
    }
    for ((name, what), group) in &groups {
        let count = if group.count == 1 { String::new() } else { format!("{} x ", group.count) };
        println!("  {name}  {count}{what}");
        if group.becomes != *name {
            let copy = if group.is_copy { " (a copy, not read)" } else { "" };
            println!("    -> {}{copy}", group.becomes);
        }
    }
    println!("{tensors} tensors, {:.3} million numbers", elements as f64 / 1e6);
    if !copies.is_empty() {
        println!(
            "{} of them are copies, with {:.3} million numbers",
            copies.len(),
            copied as f64 / 1e6
        );
    }
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
