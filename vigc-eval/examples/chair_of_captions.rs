//! CHAIR of your captions: how many of the objects that they mention are not in the images.
//!
//! ```text
//! cargo run --release -p vigc-eval --example chair_of_captions -- --captions captions.json \
//!     --instances instances_val2014.json [--references captions_val2014.json]
//! ```
//!
//! Captions are rows such as `{"image_id": 42, "caption": "A dog on a bench."}`, in a JSON list or one per line. Only their
//! images are evaluated. `--references` are captions that people wrote. The published numbers count the objects that they
//! mention as present.
#![allow(clippy::print_stdout, reason = "an example prints to the terminal")]

use std::path::PathBuf;

use clap::Parser;
use serde_json::json;
use vigc_eval::chair::{Chair, GroundTruth, Vocabulary};
use vigc_eval::report::Report;
use vigc_eval::{Result, Suite};

/// Measures CHAIR of captions of COCO's images
#[derive(Parser)]
struct Args {
    /// The captions
    #[arg(long, value_name = "FILE")]
    captions: PathBuf,
    /// The annotated objects, as COCO's instances_*.json
    #[arg(long, value_name = "FILE")]
    instances: PathBuf,
    /// Captions that people wrote, as COCO's captions_*.json
    #[arg(long, value_name = "FILE")]
    references: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let vocabulary = Vocabulary::coco();
    let mut truth = GroundTruth::open(&vocabulary, &args.instances)?;
    if let Some(references) = &args.references {
        truth.add_captions(&vocabulary, references)?;
    }
    let chair = Chair::new(vocabulary, truth, "");
    let captions = chair.read_answers(&args.captions)?.texts;
    let score = chair.with_images(|image| captions.contains_key(image)).score(&captions)?;
    let name = args.captions.display().to_string();
    println!("{}", Report::new("CHAIR", name, json!({}), score.findings()));
    Ok(())
}
