//! Runs that are killed and resumed.

use std::fs;
use std::path::{Path, PathBuf};

use vigc_pipeline::Error;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::{Exported, Format, LlavaRecord};
use vigc_pipeline::vigc::{Correction, ImageInput, Journal, JsonLines, Record, UpstreamRow, Vigc};

use crate::scripted::{Dice, numbered};

const FORMATS: [Format; 3] = Format::ALL;

fn images() -> Vec<ImageInput> {
    (0..6).map(|number| numbered(&format!("é{number}.png"), number)).collect()
}

fn vigc(model: &Dice) -> Vigc<'_, Dice> {
    let tasks = [Task::Conversation, Task::ComplexReasoning];
    Vigc::new(model).with_tasks(tasks).with_seed(3)
}

/// Runs or resumes, and stops after some results without finishing.
fn run(output: &Path, format: Format, stop_after: usize) {
    let model = Dice::default();
    let vigc = vigc(&model);
    let mut journal = Journal::resume(output, format, &vigc.settings()).unwrap();
    let records = vigc.with_finished(journal.finished().clone()).run(images(), 3);
    let mut written = 0;
    for record in records.take(stop_after) {
        journal.append(&record.unwrap()).unwrap();
        written += 1;
    }
    if written < stop_after {
        journal.finish().unwrap();
    }
}

/// Every file of a folder with its content.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = entries
        .map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap()))
        .collect::<Vec<_>>();
    files.sort();
    files
}

#[test]
fn a_resumed_run_equals_an_unbroken_one() {
    for format in FORMATS {
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        run(&whole.path().join("out"), format, usize::MAX);
        for results in [0, 1, 4, 2, usize::MAX, usize::MAX] {
            run(&broken.path().join("out"), format, results);
        }
        assert_eq!(contents(broken.path()), contents(whole.path()), "{format}");
    }
}

#[test]
fn an_unfinished_line_is_removed_wherever_it_breaks_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let rows = ["{\"a\": \"é\"}\n", "{\"a\": \"\u{1F600}\"}\n"];
    let bytes = rows.concat().into_bytes();
    for cut in rows[0].len()..=bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        JsonLines::append_to(&path).unwrap().write(&1).unwrap();
        let kept = if cut == bytes.len() { rows.concat() } else { rows[0].to_owned() };
        assert_eq!(fs::read_to_string(&path).unwrap(), kept + "1\n", "{cut}");
    }
}

#[test]
fn a_run_killed_within_a_line_is_resumed() {
    let whole = tempfile::tempdir().unwrap();
    run(&whole.path().join("out"), Format::Vigc, usize::MAX);
    let expected = contents(whole.path());
    for name in ["out", "out.rejected.jsonl"] {
        let bytes = fs::read(whole.path().join(name)).unwrap();
        let last = bytes.split_inclusive(|&byte| byte == b'\n').next_back().unwrap();
        let before = bytes.len() - last.len();
        let folder = tempfile::tempdir().unwrap();
        for cut in (before..bytes.len()).step_by(41).chain([bytes.len() - 1, bytes.len()]) {
            for (file, content) in &expected {
                fs::write(folder.path().join(file), content).unwrap();
            }
            fs::write(folder.path().join(name), &bytes[..cut]).unwrap();
            run(&folder.path().join("out"), Format::Vigc, usize::MAX);
            assert!(contents(folder.path()) == expected, "{name} cut at byte {cut}");
        }
    }
}

#[test]
fn other_settings_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.jsonl");
    run(&output, Format::Vigc, 2);
    let before = contents(folder.path());
    let model = Dice::default();
    let settings = vigc(&model).with_correction(Correction::sentences(2)).with_seed(4).settings();
    let error = Journal::resume(&output, Format::Vigc, &settings).unwrap_err();
    let Error::OtherSettings { differences, .. } = &error else { panic!("{error}") };
    assert_eq!(differences[0], "seed was 3, is 4");
    assert!(differences[1].starts_with("correction.steps"), "{error}");
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn two_runs_cannot_write_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.jsonl");
    let model = Dice::default();
    let settings = vigc(&model).settings();
    let _first = Journal::create(&output, Format::Vigc, &settings).unwrap();
    for again in [Journal::create, Journal::resume] {
        let error = again(&output, Format::Vigc, &settings).unwrap_err();
        assert!(matches!(error, Error::Core(vigc_core::Error::InUse { .. })), "{error}");
    }
}

#[test]
fn an_earlier_output_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.jsonl");
    fs::write(&output, "something else").unwrap();
    let model = Dice::default();
    let mut journal = Journal::create(&output, Format::Vigc, &vigc(&model).settings()).unwrap();
    let record = vigc(&model).run(images(), 1).next().unwrap().unwrap();
    journal.append(&record).unwrap();
    let previous = fs::read_to_string(folder.path().join("out.jsonl.previous")).unwrap();
    assert_eq!(previous, "something else");
    assert_ne!(fs::read_to_string(&output).unwrap(), previous);
}

#[test]
fn a_damaged_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.jsonl");
    run(&output, Format::Vigc, usize::MAX);
    let text = fs::read_to_string(&output).unwrap();
    fs::write(&output, text.replacen("\n{", "\n}", 1)).unwrap();
    let model = Dice::default();
    let error = Journal::resume(&output, Format::Vigc, &vigc(&model).settings()).unwrap_err();
    assert!(matches!(error, Error::Core(vigc_core::Error::Line { line: 2, .. })), "{error}");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn formats_hold_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let model = Dice::default();
    let records = vigc(&model).run(images(), 5).map(Result::unwrap).collect::<Vec<_>>();
    let samples = records.iter().filter_map(|record| match record {
        Record::Sample(sample) => Some(sample),
        _ => None,
    });
    let samples = samples.collect::<Vec<_>>();
    for format in FORMATS {
        run(&folder.path().join(format.name()), format, usize::MAX);
    }
    let read = |format: Format| fs::read(folder.path().join(format.name())).unwrap();
    let llava: Vec<LlavaRecord> = serde_json::from_slice(&read(Format::Llava)).unwrap();
    assert!(llava.iter().eq(&samples.iter().map(|sample| sample.llava()).collect::<Vec<_>>()));
    assert_eq!(llava[0].conversations[0].value, format!("<image>\n{}", samples[0].question));
    let reference: Vec<UpstreamRow> = serde_json::from_slice(&read(Format::Upstream)).unwrap();
    assert!(
        reference
            .iter()
            .eq(&samples.iter().map(|&sample| sample.into()).collect::<Vec<UpstreamRow>>())
    );
}

#[test]
fn empty_lists_are_valid_json() {
    let folder = tempfile::tempdir().unwrap();
    let model = Dice::default();
    for format in [Format::Llava, Format::Upstream] {
        let output = folder.path().join(format.name());
        Journal::create(&output, format, &vigc(&model).settings()).unwrap().finish().unwrap();
        let rows: Vec<serde_json::Value> =
            serde_json::from_slice(&fs::read(&output).unwrap()).unwrap();
        assert!(rows.is_empty());
    }
}

#[test]
fn rows_are_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let mut lines = JsonLines::create(&path).unwrap();
    lines.write(&"a\nb").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\"a\\nb\"\n");
}
