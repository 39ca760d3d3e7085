//! The card tells what is in the data set, and what is not.

use std::fs;
use std::path::Path;

use vigc_pipeline::curation::card::{About, Card};
use vigc_pipeline::curation::gates::GateSettings;
use vigc_pipeline::curation::{Curation, Row};
use vigc_pipeline::prompt::Task::{self, Conversation, DetailDescription};
use vigc_pipeline::prompt::qa_text::Malformed;
use vigc_pipeline::vigc::{JsonLines, Record, RejectedSample, Rejection, SkippedImage, StopReason};

use super::made::{corrected, mixed, row, short, write_rows};
use super::runs::{curation, pictures};

fn card_of(folder: &Path, rows: &[Row]) -> Card {
    let path = write_rows(&folder.join("rows.jsonl"), rows);
    let about = About {
        title: "Cups: \"all\" | of them".to_owned(),
        license: Some("cc-by-4.0".to_owned()),
    };
    let curation = Curation::new([path]).with_gates(GateSettings::none()).with_about(about);
    curation.run(folder.join("out"), &mut |_| {}).unwrap()
}

fn rows() -> Vec<Row> {
    let mut alone = row("c", Conversation, "what is it", "A cup.");
    alone.stop = StopReason::NotCorrected;
    vec![
        row("a", Conversation, "What is it?", "A cup.").into(),
        corrected(
            "a",
            DetailDescription,
            "Describe it.",
            ["A red cup. A dog. It sleeps.", "A blue cup. It sleeps. Nobody sees it, or does one?"],
        )
        .into(),
        corrected("b", Conversation, "Is it red?", ["It is.", "It is."]).into(),
        alone.into(),
        short("c", "What is it?", &[("cup", 1.0)]).into(),
    ]
}

#[test]
fn numbers_are_those_of_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let card = card_of(folder.path(), &rows());
    assert_eq!((card.rows.read, card.rows.kept, card.pictures), (5, 5, 3));
    let tasks =
        card.tasks.iter().map(|task| (task.task, task.rows, task.pictures, task.answer_words.max));
    let expected = [
        (Conversation, 3, 3, 2.0),
        (DetailDescription, 1, 1, 11.0),
        (Task::KnowledgeVqa, 1, 1, 1.0),
    ];
    assert_eq!(tasks.collect::<Vec<_>>(), expected);
    let detail = &card.tasks[1];
    assert_eq!((detail.question_words.median, detail.answer_sentences.median), (2.0, 3.0));

    let found = &card.corrections;
    assert_eq!((found.corrected, found.changed), (3, 1));
    let sentences = [
        found.kept_sentences,
        found.changed_sentences,
        found.removed_sentences,
        found.added_sentences,
    ];
    assert_eq!(sentences, [3, 1, 1, 1]);
    assert_eq!(
        found.stops.iter().map(|(stop, rows)| (stop.as_str(), *rows)).collect::<Vec<_>>(),
        [("model_ended", 3), ("not_corrected", 1)]
    );
    let log_probs = card.log_prob_per_token.unwrap();
    assert_eq!(log_probs.count, 4);
    assert!((log_probs.median + 0.1).abs() < 1e-6);

    assert_eq!((card.distinct_questions, card.distinct_first_words), (3, 3));
    assert_eq!((card.first_words[0].text.as_str(), card.first_words[0].rows), ("what", 3));
    assert_eq!(card.frequent_questions.len(), 1);
    assert_eq!(
        (card.frequent_questions[0].text.as_str(), card.frequent_questions[0].rows),
        ("What is it?", 3)
    );
    // The settings of the two kinds of runs.
    assert_eq!(card.models.iter().map(|model| model.rows).collect::<Vec<_>>(), [4, 1]);
    assert!(
        card.models
            .iter()
            .all(|model| model.model == "made-up" && model.settings["model"] == "made-up")
    );
    assert_eq!(card.examples.len(), 4);
}

#[test]
fn both_files_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(21, 200))];
    let out = folder.path().join("out");
    let card = curation(&rows, &pictures(folder.path())).run(&out, &mut |_| {}).unwrap();
    let read = serde_json::from_slice::<Card>(&fs::read(out.join("card.json")).unwrap()).unwrap();
    assert_eq!(read, card);
    assert_eq!(fs::read_to_string(out.join("README.md")).unwrap(), read.to_markdown());
}

#[test]
fn people_and_the_hub_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = card_of(folder.path(), &rows()).to_markdown();
    let (head, body) = text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    for line in [
        r#"pretty_name: "Cups: \"all\" | of them""#,
        r#"license: "cc-by-4.0""#,
        "language:\n- en",
        "size_categories:\n- n<1K",
        "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: kept.jsonl",
    ] {
        assert!(head.contains(line), "{line}\n{head}");
    }
    for line in [
        "# Cups: \"all\" \\| of them\n",
        "5 questions with answers about 3 pictures, written by made-up",
        "| conversation | 3 | 3 | 3 [3, 3] | 2 [2, 2] | 1 [1, 1] |",
        "| near_duplicates | off |  |  |  |  |",
        "| removed | 1 | 20.0 % |  |",
        "| what | 3 | 60.0 % |",
        "load_dataset(",
        "## Limits",
    ] {
        assert!(body.contains(line), "{line}\n{body}");
    }
}

#[test]
fn dropped_rows_are_shown_with_their_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(22, 200))];
    let card = curation(&rows, &pictures(folder.path()))
        .run(folder.path().join("out"), &mut |_| {})
        .unwrap();
    let text = card.to_markdown();
    for gate in card.gates.iter().filter(|gate| gate.dropped > 0) {
        assert!(!gate.examples.is_empty(), "{}", gate.gate);
        let (reason, count) = gate.reasons.first_key_value().unwrap();
        let shown = reason.replace('_', "\\_");
        assert!(text.contains(&format!("{shown} {count}")), "{reason}");
        assert!(text.contains(&format!("| {shown} |")), "{reason}");
    }
}

#[test]
fn what_the_run_itself_left_out_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut record = JsonLines::create(folder.path().join("rows.jsonl.rejected.jsonl")).unwrap();
    let Row::Instruction(sample) = &rows()[0] else { panic!("a row that is corrected") };
    for reason in [
        Rejection::TruncatedDraft,
        Rejection::Malformed(Malformed::NoAnswer),
        Rejection::TruncatedDraft,
    ] {
        let (image, image_id) = (sample.image.clone(), sample.image_id.clone());
        let (instruction, text) = (sample.instruction.clone(), "Question: What".to_owned());
        let (task, settings) = (sample.task, sample.settings.clone());
        let rejected =
            RejectedSample { image, image_id, task, instruction, reason, text, settings };
        record.write(&Record::Rejected(rejected)).unwrap();
    }
    let (image, skipped) = ("x.txt".to_owned(), "not an image".to_owned());
    record.write(&Record::Skipped(SkippedImage { image, skipped })).unwrap();
    drop(record);
    let card = card_of(folder.path(), &rows());
    let rejected = card.origin.rejected.iter().map(|(reason, count)| (reason.as_str(), *count));
    assert_eq!(rejected.collect::<Vec<_>>(), [("no answer", 1), ("the question breaks off", 2)]);
    assert_eq!(card.origin.skipped, 1);
    assert!(card.to_markdown().contains("1 (no answer), 2 (the question breaks off)"));
}
