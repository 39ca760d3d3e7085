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

#[path = "experiment/args.rs"]
mod args;
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
#[path = "experiment/run.rs"]
mod run;
#[path = "experiment/settings.rs"]
mod settings;
#[path = "experiment/steps.rs"]
mod steps;
#[path = "experiment/train.rs"]
mod train;
#[path = "experiment/workers.rs"]
mod workers;

use clap::Parser;

use args::Args;
use folder::Folder;
use job::Job;
use report::Report;
use settings::Settings;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let settings = Settings::open(&args.settings)?;
    let folder = Folder::open(&args.out, &settings)?;
    if let Some(name) = &args.job {
        return run::run(&Job::named(name, &settings)?, &settings, &folder);
    }
    if !args.report {
        workers::run(&args, &settings, &folder)?;
    }
    let report = Report::new(&folder.outcomes()?);
    println!("{}", report.to_text());
    folder.write_report(&report)
}
