//! Questions and corrected answers about pictures, as instruction data.
//!
//! ```text
//! cargo run --release --example generate
//! cargo run --release --example generate -- --images photos/ --task all --out data.jsonl --resume
//! cargo run --release --example generate -- --images photos/ --task okvqa --out knowledge.jsonl
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

#[path = "generate/args.rs"]
mod args;
#[path = "generate/knowledge.rs"]
mod knowledge;
#[path = "generate/show.rs"]
mod show;
#[path = "generate/summary.rs"]
mod summary;

use std::collections::HashSet;

use clap::Parser;
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::{ImageInput, Journal, Record, SkippedImage, Speedups, Vigc, VisualLm};

use args::{Args, Plan};
use show::{progress_bar, show};
use summary::Summary;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    anyhow::ensure!(
        args.format != Format::Upstream
            || matches!(args.beam_ends, vigc_examples::BeamEndsArg::Text),
        "--beam-ends unit: the original program writes every text to its end, so --format reference excludes it"
    );
    let images = args.images()?;
    let model = args.model.open()?;
    match args.task.plan() {
        Plan::Correct(tasks) => correct(&args, &model, &tasks, &images),
        Plan::TwoStage(style) => knowledge::run(&args, &model, style, images),
    }
}

fn correct(
    args: &Args,
    model: &AnyModel,
    tasks: &[Task],
    images: &[ImageInput],
) -> anyhow::Result<()> {
    let decoding = args.decoding(model)?;
    let vigc = |tasks: &[Task]| {
        Vigc::new(model)
            .with_tasks(tasks.iter().copied())
            .with_decoding(decoding.clone())
            .with_correction(args.correction())
            .with_speedups(if args.plain { Speedups::NONE } else { Speedups::default() })
            .with_seed(args.seed)
    };
    let output = args.output();
    let open = if args.resume { Journal::resume } else { Journal::create };
    let mut journal = open(&output, args.format, &vigc(tasks).settings())?;

    let finished = journal.finished().clone();
    let of_image = |image: &ImageInput| {
        let is_left = |task: &&Task| !finished.contains(&image.name(), **task);
        tasks.iter().filter(is_left).count() as u64
    };
    let total = (images.len() * tasks.len()) as u64;
    let left = images.iter().map(of_image).sum::<u64>();
    println!(
        "{}: {} images, {} samples{}",
        model.name(),
        images.len(),
        total,
        if left < total { format!(", {} of them on record", total - left) } else { String::new() },
    );

    let bar = progress_bar(left);
    let mut summary = Summary::default();
    // The upstream program does one task after another, and under its rules rows may depend on those beside them.
    let together = if args.format == Format::Upstream { 1 } else { tasks.len() };
    let runs = tasks.chunks(together).flat_map(|tasks| {
        vigc(tasks).with_finished(finished.clone()).run(images.to_vec(), args.batch)
    });
    let mut skipped = HashSet::new();
    for record in runs {
        let record = record?;
        // Each task that is run alone comes by the same damaged files.
        if let Record::Skipped(SkippedImage { image, .. }) = &record
            && !skipped.insert(image.clone())
        {
            continue;
        }
        journal.append(&record)?;
        bar.inc(match &record {
            Record::Skipped(skipped) => {
                tasks.iter().filter(|&&task| !finished.contains(&skipped.image, task)).count()
                    as u64
            }
            Record::Sample(_) | Record::Rejected(_) => 1,
        });
        if !args.quiet {
            bar.suspend(|| show(&record));
        }
        summary.add(record);
    }
    bar.finish_and_clear();
    let rejected = journal.rejected_path().to_owned();
    journal.finish()?;
    summary.print(&output, &rejected);
    Ok(())
}
