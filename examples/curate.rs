//! Turns generated rows into a data set: filtered, documented and exported.
//!
//! ```text
//! cargo run --release --example curate -- --rows vigc.jsonl --images photos/ --out data-set --format llava,parquet
//! cargo run --release --example curate -- --rows a.jsonl b.jsonl --out data-set --gates gates.toml --without near_duplicates
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use console::style;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use vigc_pipeline::curation::card::{About, Card};
use vigc_pipeline::curation::export::{ExportFormat, ExportOptions};
use vigc_pipeline::curation::gates::{GateReport, GateSettings};
use vigc_pipeline::curation::{Curation, Pictures, Progress, Stage};

/// Turns the rows that `generate` wrote into a data set: drops rows that are malformed, repeated or unlikely, writes a data
/// card, and exports the rest.
#[derive(Parser, Debug)]
struct Args {
    /// Files of rows, as `generate` writes them in its own format (JSONL); all of them become one data set
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    rows: Vec<PathBuf>,
    /// The folder of pictures that `generate` was given, if it was moved [default: the paths in the rows]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// The folder of the data set, which must not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Formats besides kept.jsonl, which is always written: llava (conversations), reference (the upstream program's rows),
    /// parquet (with pictures, for the Hugging Face hub)
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', num_args = 1.., default_value = "jsonl")]
    format: Vec<ExportFormat>,
    /// Settings of the gates, with the keys of `gate_settings` in card.json; keys that are left out keep their defaults
    #[arg(long, value_name = "FILE.toml")]
    gates: Option<PathBuf>,
    /// Gates to disable: picture, validity, length, agreement, `log_prob`, `exact_duplicates`, `near_duplicates`
    #[arg(long, value_name = "GATE", value_delimiter = ',', num_args = 1.., value_parser = GateSettings::NAMES)]
    without: Vec<String>,
    /// LLaVA: join all questions of the task `conversation` about a picture into one conversation
    #[arg(long)]
    join: bool,
    /// Parquet: the size of a file, in megabytes
    #[arg(long, value_name = "MB", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    shard_size: u64,
    /// The title of the data set
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The license of the data set, by the hub's abbreviation, such as cc-by-4.0
    #[arg(long, value_name = "NAME")]
    license: Option<String>,
}

impl Args {
    fn gates(&self) -> anyhow::Result<GateSettings> {
        let mut gates =
            self.gates.as_ref().map_or_else(|| Ok(GateSettings::default()), GateSettings::open)?;
        for gate in &self.without {
            gates.disable(gate);
        }
        Ok(gates)
    }

    fn curation(&self) -> anyhow::Result<Curation> {
        let About { title, .. } = About::default();
        let title = self.title.clone().unwrap_or(title);
        let (joined, shard_bytes) = (self.join, self.shard_size.saturating_mul(1_000_000));
        Ok(Curation::new(&self.rows)
            .with_pictures(self.images.as_ref().map_or_else(Pictures::as_recorded, Pictures::below))
            .with_gates(self.gates()?)
            .with_formats(self.format.iter().copied())
            .with_options(ExportOptions { joined, shard_bytes })
            .with_about(About { title, license: self.license.clone() }))
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut bar = Bar::default();
    let card = args.curation()?.run(&args.out, &mut |progress| bar.update(progress));
    bar.clear();
    show(&card?, &args.out);
    Ok(())
}

/// The progress bar of the current stage.
#[derive(Default)]
struct Bar {
    current: Option<(Stage, Instant, ProgressBar)>,
}

impl Bar {
    fn update(&mut self, progress: Progress) {
        let Progress { stage, rows, bytes, total_bytes } = progress;
        if self.current.as_ref().is_none_or(|(shown, ..)| *shown != stage) {
            self.clear();
            let template = "{prefix:10} {bar:24} {percent:>3} %  {msg}  {eta} left";
            let style = ProgressStyle::with_template(template).expect("the template is valid");
            let bar = ProgressBar::new(total_bytes).with_style(style).with_prefix(name(stage));
            bar.enable_steady_tick(Duration::from_millis(200));
            self.current = Some((stage, Instant::now(), bar));
        }
        if let Some((_, begun, bar)) = &self.current {
            bar.set_position(bytes);
            if rows.is_multiple_of(100) {
                let rate = rows as f64 / begun.elapsed().as_secs_f64().max(1e-3);
                bar.set_message(format!(
                    "{} rows  {}/s",
                    HumanCount(rows),
                    HumanCount(rate as u64)
                ));
            }
        }
    }

    fn clear(&mut self) {
        if let Some((.., bar)) = self.current.take() {
            bar.finish_and_clear();
        }
    }
}

fn name(stage: Stage) -> String {
    match stage {
        Stage::Counting => "counting".to_owned(),
        Stage::Filtering => "filtering".to_owned(),
        Stage::Exporting(format) => format.to_string(),
    }
}

fn show(card: &Card, out: &Path) {
    println!("{:<18}{:>12}{:>12}{:>12}  why", style("gate").bold(), "in", "dropped", "out");
    card.gates.iter().for_each(show_gate);
    let counts = card.rows;
    let share = 100.0 * counts.kept as f64 / counts.read.max(1) as f64;
    println!(
        "\n{} of {} rows kept ({share:.1} %), about {} pictures -> {}",
        style(HumanCount(counts.kept)).green().bold(),
        HumanCount(counts.read),
        HumanCount(card.pictures),
        out.display()
    );
    for exported in &card.files {
        let files = match exported.files.as_slice() {
            [first, .., last] => format!("{first} … {last}"),
            files => files.join(""),
        };
        println!("  {:<10} {files}  {}", exported.format.name(), HumanBytes(exported.bytes));
    }
    println!("  {:<10} dropped.jsonl", "dropped");
    println!("  {:<10} README.md, card.json", "card");
}

fn show_gate(gate: &GateReport) {
    if !gate.enabled {
        println!("{:<18}{:>12}", gate.gate, style("off").dim());
        return;
    }
    let reasons = gate.reasons.iter().map(|(reason, count)| format!("{reason} {count}"));
    let mut reasons = reasons.collect::<Vec<_>>();
    if gate.not_judged > 0 {
        reasons.push(style(format!("not judged {}", gate.not_judged)).dim().to_string());
    }
    let dropped = HumanCount(gate.dropped).to_string();
    let dropped = format!("{dropped:>12}");
    println!(
        "{:<18}{:>12}{}{:>12}  {}",
        gate.gate,
        HumanCount(gate.checked).to_string(),
        if gate.dropped > 0 { style(dropped).red() } else { style(dropped) },
        HumanCount(gate.checked - gate.dropped).to_string(),
        reasons.join(", "),
    );
}
