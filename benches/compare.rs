//! Ours against PyTorch and llama.cpp: the same work at 7B, alternating, in one run.
//!
//! ```text
//! cargo bench --bench compare -- --folder /tmp/random-7b --precision q4 [--threads 2] [--rounds 5] [--layers 32]
//! ```
//!
//! Each round measures the machine, then ours, then theirs. The table shows medians, the least and the greatest ratio, and
//! what the machine could do meanwhile. It needs Python with what `peers/requirements.txt` lists. The folder is filled with
//! random weights first. Where the memory does not hold both sides at once, compare fewer layers of the language
//! model.
#![allow(clippy::print_stdout, reason = "a bench talks to the terminal")]

#[path = "compare/ours.rs"]
mod ours;
#[path = "compare/peer.rs"]
mod peer;
#[path = "compare/replay.rs"]
mod replay;
#[path = "compare/table.rs"]
mod table;

use std::path::PathBuf;

use burn::tensor::Device;
use vigc_benches::Result;
use vigc_benches::machine::Machine;
use vigc_benches::random_weights::write_unless_there;
use vigc_pipeline::core::nn::Precision;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::model::{LoadOptions, Precisions};

use ours::Work;
use peer::Peer;

/// Bytes of the memory that is read to see how fast it is.
const MEMORY: usize = 1 << 30;

/// Corrections of a sample.
const STEPS: usize = 4;

const HELP: &str = "\
Ours against PyTorch and llama.cpp, in turns, as a Markdown table.

cargo bench --bench compare -- --folder FOLDER [OPTIONS]

  --folder FOLDER    the model of 7B; filled with random weights if there is none (16 GB)
  --precision P      what weights are stored in: bf16, q8 or q4 [default: q4]
  --work WORK        vit, qformer, prefill, loop, decode-ROWS, or corrections-plain, -guessed or -hinted; may be
                     repeated [default: all that the precision is compared in]
  --rounds N         times that each side runs [default: 5]
  --threads N        threads of each side [default: 2]
  --layers N         layers of the language model, where memory does not hold both sides [default: 32]
  --peers FOLDER     where the peers' models are made [default: vigc-peers in the system's temporary folder]
  --help             this text";

struct Settings {
    folder: PathBuf,
    peers: PathBuf,
    precision: Precision,
    threads: usize,
    rounds: usize,
    /// Of the language model.
    layers: usize,
    works: Vec<Work>,
}

impl Settings {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut folder = None;
        let mut settings = Self {
            folder: PathBuf::new(),
            peers: std::env::temp_dir().join("vigc-peers"),
            precision: Precision::Q4,
            threads: 2,
            rounds: 5,
            layers: 32,
            works: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--folder" => folder = Some(PathBuf::from(value()?)),
                "--peers" => settings.peers = PathBuf::from(value()?),
                "--precision" => settings.precision = value()?.parse()?,
                "--threads" => settings.threads = value()?.parse()?,
                "--rounds" => settings.rounds = value()?.parse()?,
                "--layers" => settings.layers = value()?.parse()?,
                "--work" => settings.works.push(value()?.parse()?),
                // What cargo adds.
                "--bench" => {}
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("{other} is not known").into()),
            }
        }
        if settings.works.is_empty() {
            settings.works = Work::of(settings.precision);
        }
        Ok(folder.map(|folder| Self { folder, ..settings }))
    }
}

fn main() -> Result<()> {
    let Some(settings) = Settings::parse(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build_global()?;
    write_unless_there(&settings.folder, settings.layers)?;
    let machine = Machine::new(MEMORY);
    let precisions = Precisions::from(settings.precision);
    let options = LoadOptions::default().with_precisions(precisions);
    let model = InstructBlip::from_dir_with(&settings.folder, &Device::default(), &options)?;
    let Settings { precision, threads, layers, .. } = settings;
    println!("7B as {precision}, {layers} layers, {threads} thread(s)\n");
    println!("{}\n", machine.roofs());
    println!("{}", table::HEAD);
    for &work in &settings.works {
        let ours = ours::Ours::new(&model, work)?;
        for (name, dtype) in work.peers(settings.precision) {
            match compare(&settings, &machine, &ours, work, name, dtype) {
                Ok(row) => println!("{row}"),
                Err(error) => println!("| {work} | | {name} {dtype}: {error} | | | |"),
            }
        }
        if work.peers(settings.precision).is_empty() {
            // A minute of real texts needs no repetition.
            let rounds = if matches!(work, Work::Corrections(_)) { 1 } else { settings.rounds };
            let seconds = (0..rounds).map(|_| ours.run()).collect::<Result<Vec<_>>>()?;
            println!("{}", table::alone(work, &ours, &seconds, &machine.roofs()));
        }
    }
    Ok(())
}

fn compare(
    settings: &Settings,
    machine: &Machine,
    ours: &ours::Ours<'_>,
    work: Work,
    name: &str,
    dtype: &str,
) -> Result<String> {
    let start = |name, work, calls, dtype| {
        let peers = &settings.peers;
        Peer::start(name, work, calls, dtype, settings.threads, settings.layers, peers)
    };
    let calls = ours.calls();
    let mut peer = start(name, work, calls.as_deref(), dtype)?;
    // In the reference's loop every call encodes the picture anew.
    let mut encoders = match work {
        Work::Loop => vec![
            start("torch", Work::Vit, None, "bf16")?,
            start("torch", Work::QFormer, None, "bf16")?,
        ],
        _ => Vec::new(),
    };
    ours.run()?;
    let (mut states, mut pairs) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        states.push(machine.roofs());
        let mine = ours.run()?;
        let mut theirs = peer.run()?;
        for encoder in &mut encoders {
            theirs += (1 + STEPS) as f64 * encoder.run()?;
        }
        pairs.push((mine, theirs));
    }
    states.push(machine.roofs());
    Ok(table::row(work, ours, &format!("{name} {dtype}"), &pairs, &states))
}
