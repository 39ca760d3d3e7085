//! Draws the scene of a seed and prints what there is to know about it.
//!
//! ```text
//! cargo run --release -p vigc-scenes --example draw -- 7 scene.png
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::path::PathBuf;

use clap::Parser;
use vigc_scenes::{Dialogue, Scene, Split, Teller, VqaKind};

/// Draws the scene of a seed and prints what there is to know about it.
#[derive(Parser, Debug)]
struct Args {
    /// Which scene
    #[arg(default_value_t = 7)]
    seed: u64,
    /// The picture, PNG or JPEG by its ending
    #[arg(default_value = "scene.png")]
    path: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Args { seed, path } = Args::parse();
    let scene = Scene::sample(Split::Test, seed);
    scene.render(448).save(&path)?;
    let mut teller = Teller::new(&scene, Split::Test, seed);
    println!("{}: {}", path.display(), teller.caption());

    for kind in Dialogue::ALL {
        let told = teller.dialogue(kind);
        println!("\n{}\n  {}\n  {}", kind.name(), told.question, told.answer);
    }
    let told = teller.false_premise(Dialogue::Conversation);
    println!("\nfalse premise\n  {}\n  {}", told.question, told.answer);

    println!("\nshort answers");
    for item in VqaKind::ALL.into_iter().filter_map(|kind| teller.vqa_of(kind)) {
        println!("  {} {}", item.question, item.answers[0]);
    }
    Ok(())
}
