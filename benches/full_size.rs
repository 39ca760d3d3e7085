//! A whole model at its real size, with random weights: how long it takes to load, how much memory at most, and how long
//! one sample of VIG and VIC takes.
//!
//! ```text
//! cargo bench --workspace --bench full_size -- --folder /tmp/random-7b [--size 7b|13b|mini] [--precision bf16]
//! ```
//!
//! The folder is filled with a sharded bf16 checkpoint in Hugging Face's layout first (16 GB at 7B), if it is empty; it is used
//! again afterwards. Texts mean nothing, so each call writes a fixed number of tokens: 48 for the draft and 24 for each of
//! four corrections, whose prompts grow as a sample's do.
#![allow(clippy::print_stdout, reason = "a bench talks to the terminal")]

mod random_checkpoint;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Device;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::model::{LoadOptions, Precisions};
use vigc_pipeline::vigc::{GenerationConfig, Request, VisualLm};
use vigc_pipeline::vision::image::{Rgb, RgbImage};

use random_checkpoint::{Size, write_unless_there};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const INSTRUCTION: &str =
    "Generate a question based on the content of the given image and then answer it.";
const QUESTION: &str = " Question: What is the man in the yellow shirt doing? Answer:";
const SENTENCE: &str = " The man in the yellow shirt is ironing clothes on the back of a car.";
const STEPS: usize = 4;

struct Settings {
    folder: PathBuf,
    size: Size,
    precisions: Precisions,
}

impl Settings {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let (mut folder, mut size, mut precisions) = (None, Size::SevenB, Precisions::default());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--folder" => folder = Some(PathBuf::from(value()?)),
                "--size" => size = value()?.parse()?,
                "--precision" => precisions = value()?.parse()?,
                // What cargo adds.
                "--bench" => {}
                "--help" | "-h" => return Ok(None),
                other => {
                    return Err(format!(
                        "{other} is not known, expected --folder, --size or --precision"
                    )
                    .into());
                }
            }
        }
        Ok(folder.map(|folder| Self { folder, size, precisions }))
    }
}

fn main() -> Result<()> {
    let Some(settings) = Settings::parse(std::env::args().skip(1))? else {
        println!(
            "cargo bench --workspace --bench full_size -- --folder FOLDER [--size mini|7b|7b-LAYERS|13b] [--precision bf16|q8|q4|…]\n\n\
             A whole model with random weights: load, memory, and one sample. The folder is filled first, if it is empty."
        );
        return Ok(());
    };
    let bytes = write_unless_there(&settings.folder, settings.size)?;
    let before = memory("VmRSS")?;

    let start = Instant::now();
    let options = LoadOptions::default().with_precisions(settings.precisions);
    let model = InstructBlip::from_dir_with(&settings.folder, &Device::default(), &options)?;
    let load = start.elapsed().as_secs_f64();
    let (loaded, peak) = (memory("VmRSS")? - before, memory("VmHWM")? - before);
    println!("{} GB of bf16 weights as {}", gigabytes(bytes), settings.precisions);
    println!(
        "load    {load:.1} s, {} GB, at most {} GB ({:+.1} %)",
        gigabytes(loaded),
        gigabytes(peak),
        100.0 * (peak as f64 / loaded as f64 - 1.0)
    );

    let start = Instant::now();
    let picture =
        RgbImage::from_fn(640, 480, |x, y| Rgb([x, y, x ^ y].map(|value| (value % 256) as u8)));
    let images = model.encode(&[picture])?;
    println!("encode  {:.1} s", start.elapsed().as_secs_f64());

    let mut prompt = INSTRUCTION.to_owned();
    let mut total = load + start.elapsed().as_secs_f64();
    for step in 0..=STEPS {
        let tokens = if step == 0 { 48 } else { 24 };
        let start = Instant::now();
        let decoding =
            GenerationConfig::greedy().with_max_new_tokens(tokens).with_min_new_tokens(tokens);
        let texts = model.generate(&[Request::new(&images[0], &prompt)], &decoding)?;
        let seconds = start.elapsed().as_secs_f64();
        total += seconds;
        let written = texts[0][0].ids.len();
        println!(
            "call {step}  {seconds:.1} s for {written} tokens behind {} characters",
            prompt.len()
        );
        prompt.push_str(if step == 0 { QUESTION } else { SENTENCE });
    }
    println!(
        "sample  {total:.1} s with the load; memory at most {} GB",
        gigabytes(memory("VmHWM")?)
    );
    Ok(())
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e9)
}

/// A line of `/proc/self/status`, in bytes; 0 where there is no such file.
fn memory(key: &str) -> Result<u64> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return Ok(0) };
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    Ok(kibibytes.parse::<u64>()? * 1024)
}
