//! Results on the terminal.

use std::path::Path;

use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use vigc_pipeline::vigc::diff::{Verdict, WordChange, word_changes};
use vigc_pipeline::vigc::{InstructionSample, Record, StopReason};

pub(crate) fn progress_bar(samples: u64) -> ProgressBar {
    let template = "{bar:24} {pos}/{len} samples  {per_sec}  {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    let bar = ProgressBar::new(samples).with_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// Shows a result: the question, the draft and what the correction changed.
pub(crate) fn show(record: &Record) {
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

pub(crate) fn show_sample(sample: &InstructionSample) {
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

/// Removed words in red, added ones in green; `[-…-]` and `{+…+}` where there is no color.
pub(crate) fn word_diff(old: &str, new: &str) -> String {
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
pub(crate) fn shown(path: &str) -> &str {
    let here = std::env::current_dir().unwrap_or_default();
    let below = Path::new(path).strip_prefix(here).ok();
    below.and_then(Path::to_str).unwrap_or(path)
}
