//! The suite of rendered scenes, whose contents are known.

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use vigc_eval::scenes::{DialogueReport, Report, SplitReport, Subject, Suite};
use vigc_pipeline::core::files::write_json;
use vigc_pipeline::vigc::Correction;

use crate::Args;

/// Asks the model about scenes and shows what was found.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let model = args.model.open()?;
    let correction = args
        .steps
        .map_or_else(Correction::default, Correction::until_end)
        .with_beam_ends(args.beam_ends.into());
    let decoding = args.decode.apply(model.generation_config().clone());
    let mut subject = Subject::new(&model, decoding, correction);
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} batches, {per_sec}, {eta} left  {msg}",
    )?);
    let suite = Suite::new(args.count, args.seed).with_batch(args.batch);
    let report = suite.run(&mut subject, &mut |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| anyhow!(error))?;
    show(&report);
    if let Some(path) = &args.out {
        write_json(path, &report)?;
        println!("\nreport: {}", path.display());
    }
    Ok(())
}

fn show(report: &Report) {
    for (name, split) in &report.splits {
        println!("\n{name}: shares with 95 % intervals");
        show_split(split);
    }
}

fn show_split(split: &SplitReport) {
    let columns =
        ["valid rows", "distinct q.", "VIG false", "one-shot false", "VIC false", "VIC/VIG"];
    print!("{:<14}", "");
    for column in columns {
        print!("{column:<22}");
    }
    println!();
    for (name, dialogue) in &split.dialogues {
        show_dialogue(name, dialogue);
    }
    show_dialogue("overall", &split.overall);
    println!("short answers right: {} of {}", split.vqa.accuracy, split.vqa.questions);
    for (kind, accuracy) in &split.vqa.kinds {
        println!("  {kind:<18} {accuracy}");
    }
}

fn show_dialogue(name: &str, dialogue: &DialogueReport) {
    let distinct = dialogue.questions.distinct_share.map_or("-".to_owned(), |d| format!("{d:.3}"));
    let cells = [
        dialogue.valid_rows.to_string(),
        distinct,
        dialogue.vig.false_sentences.to_string(),
        dialogue.one_shot.false_sentences.to_string(),
        dialogue.vic.false_sentences.to_string(),
        dialogue.vic_over_vig.to_string(),
    ];
    print!("{name:<14}");
    for cell in cells {
        print!("{cell:<22}");
    }
    println!();
}
