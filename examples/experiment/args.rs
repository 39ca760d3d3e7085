//! The options of the program.

use std::path::PathBuf;

use clap::Parser;

/// Runs the experiment, or goes on with it, and prints its tables.
#[derive(Parser)]
pub(crate) struct Args {
    /// What the experiment consists of; its recipes lie beside it
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../recipes/experiment/experiment.toml"))]
    pub(crate) settings: PathBuf,
    /// Where everything is written, and a run goes on
    #[arg(long, value_name = "DIR", default_value = "runs/experiment")]
    pub(crate) out: PathBuf,
    /// Jobs that run side by side [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Print the tables of what is finished, and run nothing
    #[arg(long)]
    pub(crate) report: bool,
    /// Run one job of the experiment in this process; what it needs has to be finished
    #[arg(long, value_name = "NAME", hide = true)]
    pub(crate) job: Option<String>,
}
