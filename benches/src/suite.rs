//! The suite that `cargo bench` runs: every group on every device, within a budget of time.
//!
//! The libraries that measure Rust programs, such as criterion, print each figure and keep it to themselves. Here the
//! figures end up in one table, with the roofline beside each, and in a file to compare with, so the timing is our own:
//! medians over samples, in `suite/bench.rs`.

mod bench;
mod decoding;
mod encoders;
mod group;
mod kernels;
mod pipeline;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use clap::Parser;
use vigc_pipeline::backend;

use crate::Result;
use crate::machine::Machine;
use bench::{Bench, Measuring};
use group::Scale;

pub use group::Group;
pub use report::{Bound, Rate, Report, Row, Speedup, Time};

/// The device whose roofs are measured: the CPU.
const CPU: &str = "flex";

/// Measures kernels, encoders, decoding and vigc-mini on every device, and prints a table with the roofline.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "suite", override_usage = "cargo bench -- [OPTIONS]")]
pub struct Settings {
    /// Measures full-size shapes: 7B widths with 4 layers, ViT-g, more shapes of products. Needs 8 GB of memory
    #[arg(long)]
    pub full: bool,
    /// Runs only this group; may be repeated
    #[arg(long = "group", value_name = "NAME", value_enum)]
    pub groups: Vec<Group>,
    /// Runs only on this device, a backend that is compiled in; may be repeated
    #[arg(long = "device", value_name = "NAME")]
    pub devices: Vec<String>,
    /// The most seconds that measuring takes, setup included [default: 300; 1500 with --full]
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Also writes the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Shows how much faster each figure is than in this file of an earlier run with --json
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// What `cargo bench` adds. Without it, as in `cargo test --benches`, shapes are tiny: a test that everything runs
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Settings {
    fn scale(&self) -> Scale {
        match (self.bench, self.full) {
            (false, _) => Scale::Tiny,
            (true, false) => Scale::Normal,
            (true, true) => Scale::Full,
        }
    }

    fn budget(&self) -> Duration {
        let seconds = match self.scale() {
            Scale::Tiny => 120,
            Scale::Normal => 300,
            Scale::Full => 1500,
        };
        Duration::from_secs(self.seconds.unwrap_or(seconds))
    }

    fn groups(&self) -> Vec<Group> {
        let is_asked = |group: &Group| self.groups.is_empty() || self.groups.contains(group);
        Group::ALL.into_iter().filter(is_asked).collect()
    }

    fn devices(&self) -> Result<Vec<(String, Device)>> {
        if self.devices.is_empty() {
            let devices = backend::devices().into_iter();
            return Ok(devices.map(|(name, device)| (name.to_owned(), device)).collect());
        }
        let device = |name: &String| Ok((name.clone(), backend::device(name)?));
        self.devices.iter().map(device).collect()
    }
}

/// Runs the suite. `log` is given text about the progress, to be printed as it comes.
///
/// The file of [`Settings::json`] is written, and that of [`Settings::compare`] read before anything is measured.
///
/// # Errors
///
/// Says which device is not there or which file cannot be read or written. A figure that cannot be measured is a row of the
/// report that says why.
pub fn run(settings: &Settings, log: &mut dyn FnMut(&str)) -> Result<Report> {
    let earlier = settings.compare.as_deref().map(Report::read).transpose()?;
    let (scale, groups, devices) = (settings.scale(), settings.groups(), settings.devices()?);
    let machine = Machine::new(if scale == Scale::Tiny { 1 << 26 } else { 1 << 30 });
    let end = Instant::now() + settings.budget();
    let mut shares = devices.len() as f64 * groups.iter().map(|group| group.share()).sum::<f64>();
    let mut report = Report::new(rayon::current_num_threads());
    for (name, device) in &devices {
        for &group in &groups {
            let left = end.saturating_duration_since(Instant::now());
            let budget = left.mul_f64(group.share() / shares);
            shares -= group.share();
            let mut count = Bench::counting(device);
            run_group(group, &mut count, scale);
            let measuring = Measuring {
                group,
                device_name: name,
                machine: (name == CPU).then_some(&machine),
                deadline: Instant::now() + budget,
                end,
                most_samples: scale.most_samples(),
                rows: Vec::new(),
                log,
            };
            let mut bench = Bench::new(device, count.planned(), measuring);
            run_group(group, &mut bench, scale);
            report.rows.extend(bench.into_rows());
        }
    }
    if let Some(earlier) = &earlier {
        report.compare(earlier);
    }
    if let Some(path) = &settings.json {
        report.write(path)?;
    }
    Ok(report)
}

fn run_group(group: Group, bench: &mut Bench<'_>, scale: Scale) {
    match group {
        Group::Kernels => kernels::run(bench, scale),
        Group::Encoders => encoders::run(bench, scale),
        Group::Decoding => decoding::run(bench, scale),
        Group::Pipeline => pipeline::run(bench, scale),
    }
}
