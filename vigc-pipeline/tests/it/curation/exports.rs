//! Exports.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vigc_pipeline::curation::export::{ExportFormat, ExportOptions};
use vigc_pipeline::curation::gates::GateSettings;
use vigc_pipeline::curation::{Curation, Pictures, Row};
use vigc_pipeline::prompt::Task::{ComplexReasoning, Conversation};
use vigc_pipeline::vigc::export::{Format, write_array};

use super::sample_rows::{row, short, write_rows};

fn rows() -> Vec<Row> {
    vec![
        row("a", Conversation, "What is it?", "A cup.").into(),
        row("below/b", Conversation, "Is it red?", "It is blue.").into(),
        short("a", "What is this used for?", &[("drinking", 0.9), ("eating", 0.1)]).into(),
        row("a", ComplexReasoning, "Why is it there?", "Someone forgot it.").into(),
        row("a", Conversation, "Is it red?", "Yes.").into(),
        row("a", Conversation, "Is it new?", "No.").into(),
    ]
}

fn export(folder: &Path, format: ExportFormat, joined: bool) {
    let path = write_rows(&folder.join("rows.jsonl"), &rows());
    let options = ExportOptions { joined, ..ExportOptions::default() };
    let curation = Curation::new([path])
        .with_gates(GateSettings::none())
        .with_pictures(Pictures::below("photos"))
        .with_formats([format])
        .with_options(options);
    curation.run(folder.join("out"), &mut |_| {}).unwrap();
}

fn llava(joined: bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), ExportFormat::Llava, joined);
    serde_json::from_slice(&fs::read(folder.path().join("out/llava.json")).unwrap()).unwrap()
}

fn human(text: &str) -> Value {
    json!({ "from": "human", "value": text })
}

fn gpt(text: &str) -> Value {
    json!({ "from": "gpt", "value": text })
}

#[test]
fn llava_has_a_conversation_for_each_question() {
    let found = llava(false);
    assert_eq!(found.as_array().unwrap().len(), 6);
    let turns = json!([human("<image>\nIs it red?"), gpt("It is blue.")]);
    assert_eq!(
        found[1],
        json!({ "id": "below/b", "image": "below/b.png", "conversations": turns })
    );
    assert_eq!(
        found[2]["conversations"][0]["value"],
        "<image>\nWhat is this used for?\nAnswer the question using a single word or phrase."
    );
}

#[test]
fn questions_about_one_picture_are_joined_at_the_first_one() {
    let found = llava(true);
    let found = found.as_array().unwrap();
    let ids = found.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids, ["a", "below/b", "a", "a"]);
    let turns = json!([
        human("<image>\nWhat is it?"),
        gpt("A cup."),
        human("Is it red?"),
        gpt("Yes."),
        human("Is it new?"),
        gpt("No."),
    ]);
    assert_eq!(found[0]["conversations"], turns);
    // Other tasks are not joined.
    assert_eq!(found[3]["conversations"][0], human("<image>\nWhy is it there?"));
}

#[test]
fn upstream_has_a_file_for_each_kind_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    export(folder, ExportFormat::Upstream, false);
    let (mut long, mut knowledge) = (Vec::new(), Vec::new());
    for row in rows() {
        match row {
            Row::Instruction(row) => long.push(Ok(row)),
            Row::Knowledge(row) => knowledge.push(Ok(row)),
        }
    }
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    write_array(folder.join("long.json"), Format::Upstream, long).unwrap();
    write_array(folder.join("short.json"), Format::Upstream, knowledge).unwrap();
    assert_eq!(read("out/reference.json"), read("long.json"));
    assert_eq!(read("out/question_answer.json"), read("short.json"));
}

#[test]
fn pictures_have_their_recorded_name_or_one_below_their_folder() {
    let row = Row::from(row("below/b.v2", Conversation, "What is it?", "A cup."));
    let (recorded, below) = (Pictures::as_recorded(), Pictures::below("photos"));
    assert_eq!(recorded.name(&row), "pictures/below/b.v2.png");
    assert_eq!(below.name(&row), "below/b.v2.png");
    assert_eq!(below.file(&row), Path::new("photos/below/b.v2.png"));
}

#[test]
fn formats_are_parsed_from_their_names() {
    for &format in ExportFormat::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    let error = "csv".parse::<ExportFormat>().unwrap_err().to_string();
    assert!(error.contains("csv") && error.contains("llava"), "{error}");
}
