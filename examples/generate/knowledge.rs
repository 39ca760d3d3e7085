//! Questions as in OKVQA and A-OKVQA, with weighted answers.

use anyhow::Result;
use console::style;
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::two_stage::{
    KnowledgeRecord, QuestionStyle, TwoStage, TwoStageSettings, write_questions,
};
use vigc_pipeline::vigc::{ImageInput, Journal, Strategy, VisualLm, read_lines};

use crate::args::{Args, upstream_rules};
use crate::show::{progress_bar, shown};
use crate::summary::Summary;

pub(crate) fn run(
    args: &Args,
    model: &AnyModel,
    style: QuestionStyle,
    images: Vec<ImageInput>,
) -> Result<()> {
    let run = TwoStage::new(model, settings(args, model, style)?);
    let output = args.output();
    let open = if args.resume { Journal::resume } else { Journal::create };
    let mut journal = open(&output, args.format, &run.settings())?;
    let finished = journal.finished().clone();
    let is_left = |image: &&ImageInput| !finished.contains_image(&image.name());
    let left = images.iter().filter(is_left).count() as u64;
    println!("{}: {} images, {left} of them to do", model.name(), images.len());
    let bar = progress_bar(left);
    let mut summary = Summary::default();
    for record in run.with_finished(finished.clone()).run(images, args.batch) {
        let record = record?;
        journal.append(&record)?;
        bar.inc(1);
        if !args.quiet {
            bar.suspend(|| show(&record));
        }
        match record {
            KnowledgeRecord::Sample(_) => summary.rows += 1,
            KnowledgeRecord::Rejected { reason, .. } => summary.reject(reason),
            KnowledgeRecord::Skipped(skipped) => summary.skip(skipped),
        }
    }
    bar.finish_and_clear();
    let (rows, rejected) = (journal.rows_path().to_owned(), journal.rejected_path().to_owned());
    journal.finish()?;
    summary.print(&output, &rejected);
    if args.format == Format::Upstream {
        let questions = output.with_extension("question.json");
        write_questions(&questions, read_lines(rows)?.map(|row| Ok(row?)))?;
        println!("the questions alone -> {}", questions.display());
    }
    Ok(())
}

fn settings(args: &Args, model: &AnyModel, style: QuestionStyle) -> Result<TwoStageSettings> {
    let settings = match args.format {
        Format::Upstream => TwoStageSettings::upstream(style).with_rules(upstream_rules(model)?),
        Format::Vigc | Format::Llava => TwoStageSettings::new(style),
    };
    let mut settings = settings.with_seed(args.seed);
    settings.question_decoding = args.decode.apply(settings.question_decoding);
    if let Some(strategy) = args.decode.decode {
        let answers = if let Strategy::Beam { beams } = strategy { beams } else { 1 };
        settings.answer_decoding =
            settings.answer_decoding.with_strategy(strategy).with_n_best(answers);
    }
    Ok(settings)
}

/// Shows the question and its answers with their weights.
fn show(record: &KnowledgeRecord) {
    match record {
        KnowledgeRecord::Sample(sample) => {
            println!("\n{}", style(shown(&sample.image)).bold());
            println!("  {}  {}", style("question ").cyan(), sample.question);
            println!("  {}  {}", style("draft    ").cyan(), sample.draft);
            for answer in &sample.answers {
                println!("  {:>9.2}  {}", answer.weight, answer.text);
            }
        }
        KnowledgeRecord::Rejected { image, reason, question_answer } => {
            println!("\n{}", style(shown(image)).bold());
            println!("  {} {reason}: {question_answer:?}", style("rejected").red());
        }
        KnowledgeRecord::Skipped(skipped) => {
            println!("\n{}", style(&skipped.image).bold());
            println!("  {} {}", style("skipped").yellow(), skipped.skipped);
        }
    }
}
