//! Runs one stage of training from a recipe.
//!
//! ```text
//! cargo run --release --example train -- --recipe recipes/mini/01-vision.toml [--resume]
//! ```
//!
//! On Linux, setting `MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=8589934592` saves about a sixth of the time:
//! otherwise the C library returns the memory of every large tensor to the system.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::tensor::Device;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use vigc_train::{Recipe, RunListener, UpdateReport, run_recipe};

/// Runs one stage of training.
#[derive(Parser)]
struct Args {
    /// The recipe, a TOML file.
    #[arg(long, value_name = "FILE")]
    recipe: PathBuf,
    /// Continue from the newest checkpoint in the recipe's output folder.
    #[arg(long)]
    resume: bool,
    /// Stop cleanly after this many minutes, instead of the recipe's limit.
    #[arg(long, value_name = "MINUTES")]
    max_minutes: Option<f64>,
}

struct Bar(ProgressBar);

impl RunListener for Bar {
    fn started(&mut self, stage: &str, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
        self.0.reset_eta();
        self.0.set_prefix(stage.to_owned());
    }

    fn updated(&mut self, report: &UpdateReport) {
        let metrics: String =
            report.metrics.iter().map(|(name, value)| format!(" {name} {value:.3}")).collect();
        self.0.set_message(format!(
            "loss {:.4}{metrics}, {:.1} samples/s, {:.0} % waiting",
            report.loss,
            report.samples_per_second,
            100.0 * report.waiting
        ));
        self.0.set_position(report.update);
    }

    fn validated(&mut self, update: u64, metrics: &BTreeMap<String, f64>) {
        let metrics: String =
            metrics.iter().map(|(name, value)| format!(" {name} {value:.4}")).collect();
        self.0.suspend(|| println!("update {update}, held out:{metrics}"));
    }

    fn preparing(&mut self, what: &str, done: u64, total: u64) {
        self.0.set_prefix(what.to_owned());
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut recipe = Recipe::open(&args.recipe)?;
    recipe.run.max_minutes = args.max_minutes.or(recipe.run.max_minutes);
    let style = "{prefix} {pos}/{len} [{elapsed} < {eta}] {wide_bar} {msg}";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let outcome = run_recipe(&recipe, &Device::default(), args.resume, &mut Bar(bar.clone()))?;
    bar.finish();
    match outcome.finished {
        true => println!("finished: {}", recipe.output.display()),
        false => println!("stopped after {} updates; continue with --resume", outcome.updates),
    }
    Ok(())
}
