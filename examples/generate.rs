//! Questions and corrected answers about pictures, as instruction data.
//!
//! ```text
//! cargo run --release --example generate
//! cargo run --release --example generate -- --images photos/ --task all --out data.jsonl --resume
//! cargo run --release --example generate -- --images photos/ --task okvqa --out knowledge.jsonl
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to the terminal")]

#[path = "generate/knowledge.rs"]
mod knowledge;
mod shared;
#[path = "generate/summary.rs"]
mod summary;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::llm::generation::Rules;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::diff::{Verdict, WordChange, word_changes};
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::two_stage::QuestionStyle;
use vigc_pipeline::vigc::{
    Correction, GenerationConfig, ImageFolder, ImageInput, InstructionSample, Journal, LastStep,
    PromptStyle, Record, SkippedImage, Speedups, StopReason, Unit, Vigc, VisualLm,
};

use summary::Summary;

/// Pictures that ship with the examples.
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pictures");

/// The reference's number of sentences.
const REFERENCE_STEPS: usize = 4;

/// Generates questions about images, answers them, and corrects the answers sentence by sentence.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    model: shared::ModelArgs,
    /// Image files, folders or patterns; may be repeated [default: the examples' pictures]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    images: Vec<PathBuf>,
    /// What is asked about each image; okvqa and a-okvqa ask for a question, then for short answers to it,
    /// which are not corrected
    #[arg(long, value_enum, default_value_t = Tasks::Conversation)]
    task: Tasks,
    /// Rows [default: vigc.jsonl, or llava.json or reference.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// vigc (JSONL), llava (conversations) or reference (the reference's rules and rows)
    #[arg(long, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Most sentences (or paragraphs) of an answer; 0 for no correction [default: until the model ends; reference: 4]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// What is accepted of an answer at a time
    #[arg(long, value_enum, default_value_t = UnitArg::Sentence)]
    unit: UnitArg,
    /// What the correction is asked with: vig, instruction and question, or vic, the bare question
    #[arg(long, value_enum, default_value_t = StyleArg::Vig)]
    style: StyleArg,
    /// Accept all that is generated at the last step
    #[arg(long)]
    last_infer_all: bool,
    /// Where beams end while an answer is corrected
    #[arg(long, value_enum, default_value_t = shared::BeamEndsArg::Text)]
    beam_ends: shared::BeamEndsArg,
    #[command(flatten)]
    decode: shared::DecodeArgs,
    /// Seed of sampling
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Samples generated together
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = parse_batch)]
    batch: usize,
    /// Write every text token by token to its end: the same rows, later
    #[arg(long)]
    plain: bool,
    /// Most images
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on with an earlier run of the same settings
    #[arg(long)]
    resume: bool,
    /// Show only the summary
    #[arg(long)]
    quiet: bool,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Tasks {
    Conversation,
    Detail,
    Reasoning,
    /// The three above
    All,
    Okvqa,
    #[value(name = "a-okvqa")]
    AOkvqa,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum UnitArg {
    Sentence,
    Paragraph,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum StyleArg {
    Vig,
    Vic,
}

/// What is done with each image.
enum Plan {
    /// Questions whose answers are corrected.
    Correct(Vec<Task>),
    /// Questions as in a data set, then short answers.
    TwoStage(QuestionStyle),
}

impl Tasks {
    fn plan(self) -> Plan {
        match self {
            Self::Conversation => Plan::Correct(vec![Task::Conversation]),
            Self::Detail => Plan::Correct(vec![Task::DetailDescription]),
            Self::Reasoning => Plan::Correct(vec![Task::ComplexReasoning]),
            Self::All => Plan::Correct(Task::LLAVA.to_vec()),
            Self::Okvqa => Plan::TwoStage(QuestionStyle::Okvqa),
            Self::AOkvqa => Plan::TwoStage(QuestionStyle::AOkvqa),
        }
    }
}

impl Args {
    fn images(&self) -> anyhow::Result<Vec<ImageInput>> {
        let default = [PathBuf::from(PICTURES)];
        let paths = if self.images.is_empty() { &default[..] } else { &self.images };
        let found = ImageFolder::find(paths)?;
        Ok(found.into_iter().take(self.limit.unwrap_or(usize::MAX)).collect())
    }

    fn correction(&self) -> Correction {
        let correction = match (self.format, self.steps) {
            (Format::Upstream, steps) => Correction::upstream(steps.unwrap_or(REFERENCE_STEPS)),
            (_, Some(steps)) => Correction::until_end(steps),
            (_, None) => Correction::default(),
        };
        let unit = match self.unit {
            UnitArg::Sentence => Unit::Sentence,
            UnitArg::Paragraph => Unit::Paragraph,
        };
        let style = match self.style {
            StyleArg::Vig => PromptStyle::Vig,
            StyleArg::Vic => PromptStyle::Vic,
        };
        let last = if self.last_infer_all { LastStep::Everything } else { LastStep::OneUnit };
        let correction = correction.with_unit(unit).with_style(style).with_last_step(last);
        correction.with_beam_ends(self.beam_ends.into())
    }

    fn decoding(&self, model: &AnyModel) -> anyhow::Result<GenerationConfig> {
        Ok(self.decode.apply(match self.format {
            Format::Upstream => GenerationConfig::upstream()
                .with_max_length(250)
                .with_min_length(1)
                .with_rules(reference_rules(model)?),
            Format::Vigc | Format::Llava => model.generation_config().clone(),
        }))
    }

    fn output(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| match self.format {
            Format::Vigc => "vigc.jsonl".into(),
            Format::Llava | Format::Upstream => format!("{}.json", self.format).into(),
        })
    }
}

/// The rules that the reference decodes by, which are those of its model.
fn reference_rules(model: &AnyModel) -> anyhow::Result<Rules> {
    let rules = model.upstream_rules();
    rules.context("--format reference needs an InstructBLIP, the model that the reference runs")
}

fn parse_batch(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&batch| batch > 0).ok_or_else(|| "expected at least 1".to_owned())
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    anyhow::ensure!(
        args.format != Format::Upstream || matches!(args.beam_ends, shared::BeamEndsArg::Text),
        "--beam-ends unit: the reference writes every text to its end, so --format reference cannot be had with it"
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
    // The reference does one task after another, and under its rules rows may depend on those beside them.
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

fn progress_bar(samples: u64) -> ProgressBar {
    let template = "{bar:24} {pos}/{len} samples  {per_sec}  {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    let bar = ProgressBar::new(samples).with_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// Shows a result: the question, the draft and what the correction changed.
fn show(record: &Record) {
    match record {
        Record::Sample(sample) => show_sample(sample),
        Record::Rejected(rejected) => {
            println!("\n{} · {}", style(shown(&rejected.image)).bold(), rejected.task);
            println!("  {} {}: {:?}", style("rejected").red(), rejected.reason, rejected.text);
        }
        Record::Skipped(skipped) => {
            println!("\n{}", style(&skipped.image).bold());
            println!("  {} {}", style("skipped").yellow(), skipped.skipped);
        }
    }
}

fn show_sample(sample: &InstructionSample) {
    println!("\n{} · {}", style(shown(&sample.image)).bold(), sample.task);
    println!("  {}  {}", style("question ").cyan(), sample.question);
    println!("  {}  {}", style("draft    ").cyan(), sample.draft);
    if sample.stop == StopReason::NotCorrected {
        return;
    }
    println!("  {}  {}", style("corrected").cyan(), sample.answer);
    let changed = sample.changes.iter().filter(|change| change.verdict != Verdict::Kept);
    for change in changed {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (old, new) = (text(&change.draft), text(&change.corrected));
        let (name, line) = match change.verdict {
            Verdict::Dropped => ("dropped", style(old).red().strikethrough().to_string()),
            Verdict::New => ("new    ", style(new).green().to_string()),
            Verdict::Changed | Verdict::Kept => ("changed", word_diff(&old, &new)),
        };
        println!("    {}  {line}", style(name).dim());
    }
}

/// Removed words in red, added ones in green; `[-…-]` and `{+…+}` where there is no colour.
fn word_diff(old: &str, new: &str) -> String {
    let changes = word_changes(old, new);
    let runs = changes.chunk_by(|a, b| std::mem::discriminant(a) == std::mem::discriminant(b));
    let runs = runs.map(|run| {
        let words = run.iter().map(|change| match change {
            WordChange::Kept(word) | WordChange::Removed(word) | WordChange::Added(word) => *word,
        });
        let words = words.collect::<Vec<_>>().join(" ");
        match (run[0], console::colors_enabled()) {
            (WordChange::Kept(_), _) => words,
            (WordChange::Removed(_), true) => style(words).red().strikethrough().to_string(),
            (WordChange::Added(_), true) => style(words).green().to_string(),
            (WordChange::Removed(_), false) => format!("[-{words}-]"),
            (WordChange::Added(_), false) => format!("{{+{words}+}}"),
        }
    });
    runs.collect::<Vec<_>>().join(" ")
}

/// A path as it is seen from the folder that one is in.
fn shown(path: &str) -> &str {
    let here = std::env::current_dir().unwrap_or_default();
    let below = Path::new(path).strip_prefix(here).ok();
    below.and_then(Path::to_str).unwrap_or(path)
}
