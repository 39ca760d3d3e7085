//! Evaluates a model on benchmarks' published files, and on scenes whose contents are known.
//!
//! ```text
//! cargo run --release --example evaluate -- --suite scenes --count 500 --seed 7 --out report.json
//! cargo run --release --example evaluate -- --suite aokvqa --questions aokvqa_val.json --images coco/val2017 --report report/
//! cargo run --release --example evaluate -- --suite pope --questions coco_pope_popular.json --images coco/val2014 \\
//!     --given --answers answers.jsonl
//! ```
//!
//! Answers are recorded in `--answers` as they come, and an interrupted run continues there. With `--given`, no model is
//! asked: the answers in that file are scored, whoever wrote them.
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use vigc_eval::answers::{AnswerJournal, Answers, QueryRunner};
use vigc_eval::report::Report;
use vigc_eval::suite::{Suite, SuiteOption, SuiteOptions, ask};
use vigc_eval::{Error, Registry};
use vigc_pipeline::core::files::write_json;
use vigc_pipeline::core::progress::Progress;
use vigc_pipeline::vigc::Correction;

/// Asks a model the questions of a benchmark and scores its answers, or scores given answers.
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    model: vigc_examples::ModelArgs,
    /// What is measured
    #[arg(long, value_parser = suite_names())]
    suite: String,
    #[command(flatten)]
    files: Files,
    /// Where the model's answers are recorded, and an interrupted run continues [default: SUITE.answers.jsonl]
    #[arg(long, value_name = "FILE.jsonl")]
    answers: Option<PathBuf>,
    /// Ask no model: score the answers in --answers, rows with `id` or `question_id` and `text` or `answer`
    #[arg(long)]
    given: bool,
    /// The model's name in the report, if answers are given
    #[arg(long, value_name = "NAME", default_value = "given answers")]
    name: String,
    /// A folder for report.json and report.html
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// The file that the benchmark's server takes
    #[arg(long, value_name = "FILE")]
    submission: Option<PathBuf>,
    /// Seed of what is drawn; training never draws the test scenes, whatever the seed is
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// scenes: most sentences of a corrected answer [default: until the model ends]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// scenes: where beams end while an answer is corrected
    #[arg(long, value_enum, default_value_t = vigc_examples::BeamEndsArg::Text)]
    beam_ends: vigc_examples::BeamEndsArg,
    #[command(flatten)]
    decode: vigc_examples::DecodeArgs,
    /// Questions that are asked together
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
    /// scenes: all numbers as JSON
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
}

/// The files of a benchmark.
#[derive(Args, Debug)]
struct Files {
    /// The benchmark's questions
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// Annotations, if they are in a file of their own
    #[arg(long, value_name = "FILE")]
    annotations: Option<PathBuf>,
    /// The folder of the images
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
}

/// The names of all suites, with their descriptions.
fn suite_names() -> PossibleValuesParser {
    let registry = Registry::default();
    let kinds = registry.kinds().iter();
    PossibleValuesParser::new(
        kinds.map(|kind| PossibleValue::new(kind.name).help(kind.about)).collect::<Vec<_>>(),
    )
}

/// The options that only some suites have, with the names of these suites.
fn suite_options() -> BTreeMap<&'static str, (SuiteOption, Vec<&'static str>)> {
    let mut options = BTreeMap::new();
    for kind in Registry::default().kinds() {
        for &option in kind.options {
            let (_, suites) = options.entry(option.name).or_insert((option, Vec::new()));
            suites.push(kind.name);
        }
    }
    options
}

/// The command line: each option of a suite is a flag.
fn command() -> Command {
    let flag = |(option, suites): (SuiteOption, Vec<&str>)| {
        let help = format!("{}: {}", suites.join(", "), option.about);
        Arg::new(option.name).long(option.name).value_name(option.value).help(help)
    };
    Cli::command().args(suite_options().into_values().map(flag))
}

fn main() -> anyhow::Result<()> {
    let matches = command().get_matches();
    let args = Cli::from_arg_matches(&matches)?;
    let options = options(&args, &matches)?;
    let suite = Registry::default().open(&args.suite, &options)?;
    let (model, settings, answers) = if args.given {
        let path = args.answers.as_ref().context("--given needs --answers FILE")?;
        (args.name.clone(), Value::Null, suite.read_answers(path)?.texts)
    } else {
        answers(&args, &*suite)?
    };
    if let Some(path) = &args.submission {
        suite.write_submission(&answers, path)?;
        println!("submission: {}", path.display());
    }
    let findings = suite.evaluate(&answers).map_err(|error| match error {
        Error::NoReviewer => anyhow::anyhow!(
            "LLaVA-Eval needs a judge: --judge-url with --judge-model, or --reviews FILE"
        ),
        error => error.into(),
    })?;
    if let Some(path) = &args.out {
        let details = findings.details.as_ref();
        write_json(path, details.context("this suite has no numbers for --out; use --report")?)?;
        println!("numbers: {}", path.display());
    }
    let settings = json!({ "decoding": settings, "files": described(&options) });
    let report = Report::new(&args.suite, model, settings, findings);
    println!("{}", report.to_text(console::Term::stdout().size().1.into()));
    if let Some(folder) = &args.report {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        report.write_json(folder.join("report.json"))?;
        report.write_html(folder.join("report.html"))?;
        println!("report: {}", folder.join("report.html").display());
    }
    Ok(())
}

/// The options with which the suite is opened.
fn options(args: &Cli, matches: &ArgMatches) -> anyhow::Result<SuiteOptions> {
    let Files { questions, annotations, images } = &args.files;
    let mut options = SuiteOptions {
        questions: questions.clone(),
        annotations: annotations.clone(),
        images: images.clone(),
        seed: args.seed,
        batch: Some(args.batch),
        progress: progress("{bar:40} {pos}/{len} judgments, {per_sec}, {eta} left")?,
        ..SuiteOptions::default()
    };
    for name in suite_options().into_keys() {
        if let Some(value) = matches.get_one::<String>(name) {
            options.set(name, value);
        }
    }
    Ok(options)
}

/// What a report says about the files and options of the suite.
fn described(options: &SuiteOptions) -> Value {
    let number = |text: &String| text.parse::<u64>().map_or_else(|_| json!(text), Value::from);
    let mut described = json!({
        "questions": options.questions,
        "annotations": options.annotations,
        "images": options.images,
        "synonyms": null,
        "pictures": null,
    });
    for (name, value) in &options.values {
        described[name] = number(value);
    }
    described
}

/// Asks the model everything that is not on record. Returns its name, its settings and its answers.
fn answers(
    args: &Cli,
    suite: &dyn Suite,
) -> anyhow::Result<(String, Value, HashMap<String, String>)> {
    let model = args.model.open()?;
    let decoding = args.decode.apply(model.generation_config().clone());
    let mut runner = QueryRunner::new(&model, decoding).with_batch(args.batch).with_seed(args.seed);
    if args.steps.is_some() || matches!(args.beam_ends, vigc_examples::BeamEndsArg::Unit) {
        let correction = args.steps.map_or_else(Correction::default, Correction::until_end);
        runner = runner.with_correction(correction.with_beam_ends(args.beam_ends.into()));
    }
    let settings = runner.settings();
    let path = args.answers.clone();
    let path = path.unwrap_or_else(|| format!("{}.answers.jsonl", args.suite).into());
    let mut journal = AnswerJournal::resume(&path, &settings)?;
    let progress = progress("{bar:40} {pos}/{len} questions, {per_sec}, {eta} left")?;
    let Answers { texts, failures } = ask(suite, &runner, &mut journal, &progress)?;
    if let Some(first) = failures.first() {
        let count = failures.len();
        println!(
            "{count} questions were not asked, the first of them {}: {}",
            first.id, first.reason
        );
    }
    println!("answers: {}", path.display());
    let settings_value = serde_json::to_value(&settings)?;
    Ok((settings.model, settings_value, texts))
}

/// A bar that disappears when everything is done, and comes back if there is more to do.
fn progress(style: &str) -> anyhow::Result<Progress> {
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(style)?);
    Ok(Progress::new(move |update| {
        if bar.is_finished() && update.done < update.total {
            bar.reset();
        }
        bar.set_length(update.total);
        bar.set_position(update.done);
        if update.done == update.total {
            bar.finish_and_clear();
        }
    }))
}
