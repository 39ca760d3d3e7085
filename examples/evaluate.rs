//! How good a model is, on benchmarks' published files and on scenes whose contents are known.
//!
//! ```text
//! cargo run --release --example evaluate -- --suite scenes --count 500 --seed 7 --out report.json
//! cargo run --release --example evaluate -- --suite aokvqa --questions aokvqa_val.json --images coco/val2017 --report report/
//! cargo run --release --example evaluate -- --suite pope --questions coco_pope_popular.json --images coco/val2014 \\
//!     --given --answers answers.jsonl
//! ```
//!
//! Answers are recorded in `--answers` as they come, and a run that was interrupted goes on there. `--given` asks no model and
//! scores the answers in that file, whoever wrote them.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

#[path = "evaluate/benchmark.rs"]
mod benchmark;
#[path = "evaluate/judge.rs"]
mod judge;
#[path = "evaluate/scenes.rs"]
mod scenes;
mod shared;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use vigc_eval::answers::{AnswerJournal, Answers, Asker};
use vigc_eval::report::Report;

use benchmark::Benchmark;

/// Asks a model a benchmark's questions and scores its answers, or scores answers that are given.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    model: shared::ModelArgs,
    /// What is measured
    #[arg(long, value_enum)]
    suite: SuiteName,
    #[command(flatten)]
    files: benchmark::Files,
    /// Where the model's answers are recorded and a run goes on [default: SUITE.answers.jsonl]
    #[arg(long, value_name = "FILE.jsonl")]
    answers: Option<PathBuf>,
    /// Ask no model: score the answers in --answers, rows of `id` or `question_id` and `text` or `answer`
    #[arg(long)]
    given: bool,
    /// The model's name in the report, where answers are given
    #[arg(long, value_name = "NAME", default_value = "given answers")]
    name: String,
    /// A folder for report.json and report.html
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// The file that the benchmark's server takes
    #[arg(long, value_name = "FILE")]
    submission: Option<PathBuf>,
    #[command(flatten)]
    judge: judge::JudgeArgs,
    /// scenes: pictures with combinations that were trained on, and as many with combinations that were not
    #[arg(long, value_name = "N", default_value_t = 500)]
    count: usize,
    /// Seed of what is drawn; training never draws the pictures of scenes, whatever the seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// scenes: most sentences of a corrected answer [default: until the model ends]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// scenes: where beams end while an answer is corrected
    #[arg(long, value_enum, default_value_t = shared::BeamEndsArg::Text)]
    beam_ends: shared::BeamEndsArg,
    #[command(flatten)]
    decode: shared::DecodeArgs,
    /// Questions (scenes: pictures) asked about at once
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
    /// scenes: the report as JSON
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
}

/// The benchmarks.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum SuiteName {
    /// Rendered scenes with exact ground truth
    Scenes,
    /// VQAv2: --questions and --annotations as published, or rows with `answer` as the reference keeps them
    #[value(name = "vqav2")]
    VqaV2,
    /// OKVQA, likewise
    Okvqa,
    /// A-OKVQA, answered freely
    Aokvqa,
    /// A-OKVQA, the likeliest of its choices
    AokvqaChoice,
    /// MMBench's table, in all orders of the options
    Mmbench,
    /// LLaVA-Eval, judged: --questions is the folder of its published files
    LlavaBench,
    /// Objects that descriptions invent: --annotations is an instances file of COCO's format
    Chair,
    /// Questions whether something is there: --questions, or --annotations to make them from
    Pope,
}

impl SuiteName {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if args.suite == SuiteName::Scenes {
        return scenes::run(&args);
    }
    let benchmark = Benchmark::open(args.suite, &args.files, args.seed)?;
    let (model, settings, answers) = if args.given {
        let path = args.answers.as_ref().context("--given needs --answers FILE")?;
        (args.name.clone(), Value::Null, Answers::read(path)?.texts)
    } else {
        ask(&args, &benchmark)?
    };
    if let Some(path) = &args.submission {
        benchmark.submit(&answers, path)?;
        println!("submission: {}", path.display());
    }
    let judged = judge::reviews(&args.judge, &benchmark, &answers)?;
    let (metrics, tables, samples) = benchmark.score(&answers, judged)?;
    let settings = json!({ "decoding": settings, "files": args.files.described() });
    let suite = args.suite.name();
    let report = Report { suite, model, settings, metrics, tables, samples };
    println!("{}", report.to_text(console::Term::stdout().size().1.into()));
    if let Some(folder) = &args.report {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        report.write_json(folder.join("report.json"))?;
        report.write_html(folder.join("report.html"))?;
        println!("report: {}", folder.join("report.html").display());
    }
    Ok(())
}

/// Asks the model what is not on record; its name, its settings and its answers.
fn ask(
    args: &Args,
    benchmark: &Benchmark,
) -> anyhow::Result<(String, Value, HashMap<String, String>)> {
    let model = args.model.open()?;
    let decoding = args.decode.apply(model.generation_config().clone());
    let asker = Asker::new(&model, decoding).with_batch(args.batch).with_seed(args.seed);
    let settings = asker.settings();
    let path = args.answers.clone();
    let path = path.unwrap_or_else(|| format!("{}.answers.jsonl", args.suite.name()).into());
    let mut journal = AnswerJournal::resume(&path, &settings)?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} questions, {per_sec}, {eta} left",
    )?);
    let answers = asker.run(&benchmark.asks(), &mut journal, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let answers = answers?;
    if let Some(first) = answers.failures.first() {
        let count = answers.failures.len();
        println!(
            "{count} questions were not asked, the first of them {}: {}",
            first.id, first.reason
        );
    }
    println!("answers: {}", path.display());
    let settings_value = serde_json::to_value(&settings)?;
    Ok((settings.model, settings_value, answers.texts))
}
