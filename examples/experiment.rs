//! Does the data help? The paper's experiment in small, on rendered scenes, from untrained parts to its tables.
//!
//! ```text
//! cargo run --release --example experiment
//! ```
//!
//! A small annotated data set trains VIGC, which writes questions and answers about many pictures that nobody annotated. A
//! LLaVA and an InstructBLIP are finetuned on the annotated rows alone, or with drafts (VIG) or corrected answers (VIC) added
//! or put in the place of annotated rows, and each is measured. `recipes/experiment/` says with how much of everything.
//!
//! Whatever is finished stays in the folder of the experiment: a run that was interrupted goes on there.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

#[path = "experiment/data.rs"]
mod data;
#[path = "experiment/folder.rs"]
mod folder;
#[path = "experiment/job.rs"]
mod job;
#[path = "experiment/measure.rs"]
mod measure;
#[path = "experiment/report.rs"]
mod report;
#[path = "experiment/rows.rs"]
mod rows;
#[path = "experiment/settings.rs"]
mod settings;
#[path = "experiment/steps.rs"]
mod steps;
#[path = "experiment/train.rs"]
mod train;
#[path = "experiment/workers.rs"]
mod workers;

use std::path::PathBuf;

use clap::Parser;

use folder::Folder;
use job::Job;
use report::Report;
use settings::Settings;

/// Runs the experiment, or goes on with it, and prints its tables.
#[derive(Parser)]
struct Args {
    /// What the experiment consists of; its recipes lie beside it
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../recipes/experiment/experiment.toml"))]
    settings: PathBuf,
    /// Where everything is written, and a run goes on
    #[arg(long, value_name = "DIR", default_value = "runs/experiment")]
    out: PathBuf,
    /// Jobs that run side by side [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Print the tables of what is finished, and run nothing
    #[arg(long)]
    report: bool,
    /// Run one job of the experiment in this process; what it needs has to be finished
    #[arg(long, value_name = "NAME", hide = true)]
    job: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let settings = Settings::open(&args.settings)?;
    let folder = Folder::open(&args.out, &settings)?;
    if let Some(name) = &args.job {
        return Job::named(name, &settings)?.run(&settings, &folder);
    }
    if !args.report {
        workers::run(&args, &settings, &folder)?;
    }
    let report = Report::new(&folder.outcomes()?);
    println!("{}", report.to_text());
    folder.write_report(&report)
}
