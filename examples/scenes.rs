//! Writes a data set of rendered scenes: pictures, and files in the formats of COCO, LLaVA, VIGC, OKVQA and A-OKVQA.
//!
//! ```text
//! cargo run --release --example scenes -- --out data/scenes --count 2000 --seed 1
//! ```

#![expect(clippy::print_stdout, reason = "the summary is for the terminal")]

use std::path::PathBuf;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use vigc_scenes::DatasetConfig;

/// Writes a data set of rendered scenes with exact ground truth.
#[derive(Debug, Parser)]
struct Args {
    /// The folder to write to. It must not exist yet.
    #[arg(long)]
    out: PathBuf,
    /// The number of training pictures. `val`, `test` and `unseen` get a tenth of it each.
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// The seed. The same seed gives the same data set.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The side of the pictures in pixels.
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u32).range(8..=4096))]
    side: u32,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let config = DatasetConfig::new(args.seed).with_train_count(args.count).with_side(args.side);
    let bar = ProgressBar::new(config.total() as u64).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} pictures, {per_sec}, {eta} left",
    )?);
    let summary = config.write(&args.out, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    println!(
        "{}: {} pictures with {} objects, {} dialogue turns and {} short questions in {:.1} s",
        args.out.display(),
        summary.images,
        summary.objects,
        summary.dialogues,
        summary.questions,
        bar.elapsed().as_secs_f64(),
    );
    Ok(())
}
