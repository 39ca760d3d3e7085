//! No row is lost, however the rows are split into files and whenever a run is interrupted.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;
use vigc_pipeline::curation::export::{ExportFormat, ExportOptions};
use vigc_pipeline::curation::gates::GateSettings;
use vigc_pipeline::curation::{Curation, CurationError, Pictures, Row};

use super::sample_rows::{line, mixed, write_pictures, write_rows};

/// The pictures of [`mixed`], except two.
pub(super) fn pictures(folder: &Path) -> PathBuf {
    let pictures = folder.join("pictures");
    write_pictures(&pictures, ["a", "b", "c", "d", "e", "f", "g", "h", "i", "below/l"]);
    pictures
}

/// A curation with all formats and small files.
pub(super) fn curation(rows: &[PathBuf], pictures: &Path) -> Curation {
    let mut gates = GateSettings::default();
    gates.near_duplicates.most_alike = 3;
    gates.near_duplicates.jaccard = 0.5;
    Curation::new(rows)
        .with_pictures(Pictures::below(pictures))
        .with_gates(gates)
        .with_formats(ExportFormat::ALL.iter().copied())
        .with_options(ExportOptions { joined: true, shard_bytes: 6000 })
}

/// All files below a folder with their contents.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            let below = contents(&path).into_iter();
            files.extend(below.map(|(path, content)| (name.join(path), content)));
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_row_is_kept_or_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let rows = mixed(1, 400);
    let path = write_rows(&folder.path().join("rows.jsonl"), &rows);
    let out = folder.path().join("out");
    let card = curation(std::slice::from_ref(&path), &pictures(folder.path()))
        .run(&out, &mut |_| {})
        .unwrap();

    let (kept, dropped) = (lines(&out.join("kept.jsonl")), lines(&out.join("dropped.jsonl")));
    let mut by_gate = BTreeMap::<String, u64>::new();
    let mut found = kept.iter().cloned().map(|row| (None, row)).collect::<Vec<_>>();
    for row in &dropped {
        let row = serde_json::from_str::<Value>(row).unwrap();
        *by_gate.entry(row["gate"].as_str().unwrap().to_owned()).or_default() += 1;
        assert_eq!(row["file"], path.to_str().unwrap());
        found.push((row["line"].as_u64(), row["row"].to_string()));
    }
    // Dropped rows name their line; the kept rows are the others, in their order.
    let expected = rows.iter().map(line).collect::<Vec<_>>();
    let is_kept = |number: &usize| !found.iter().any(|(line, _)| *line == Some(*number as u64));
    let others = (1..=rows.len()).filter(is_kept).map(|number| expected[number - 1].clone());
    assert_eq!(others.collect::<Vec<_>>(), kept);
    let mut all = found.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
    let mut expected = expected;
    all.sort();
    expected.sort();
    assert_eq!(all, expected);

    assert_eq!(
        (card.rows.read, card.rows.kept, card.rows.dropped),
        (400, kept.len() as u64, dropped.len() as u64)
    );
    assert_eq!(card.tasks.iter().map(|task| task.rows).sum::<u64>(), card.rows.kept);
    let mut left = card.rows.read;
    for gate in &card.gates {
        assert_eq!(gate.checked, left, "{}", gate.gate);
        assert_eq!(gate.dropped, by_gate.get(&gate.gate).copied().unwrap_or_default());
        assert_eq!(gate.dropped, gate.reasons.values().sum::<u64>());
        left -= gate.dropped;
    }
    assert_eq!(left, card.rows.kept);
    // The sample rows give all but two gates something to do.
    assert!(by_gate.len() >= 5, "{by_gate:?}");
}

#[test]
fn files_of_rows_are_one_stream() {
    let folder = tempfile::tempdir().unwrap();
    let rows = mixed(2, 200);
    let pictures = pictures(folder.path());
    let run = |chunk: usize| {
        let paths = rows.chunks(chunk).enumerate().map(|(index, rows)| {
            write_rows(&folder.path().join(format!("{chunk}-{index}.jsonl")), rows)
        });
        let out = folder.path().join(chunk.to_string());
        curation(&paths.collect::<Vec<_>>(), &pictures).run(&out, &mut |_| {}).unwrap();
        let mut files = contents(&out);
        // Only the lines of the dropped rows may differ.
        let dropped = lines(&out.join("dropped.jsonl")).into_iter().map(|row| {
            let mut row = serde_json::from_str::<Value>(&row).unwrap();
            row.as_object_mut().unwrap().retain(|key, _| !["file", "line"].contains(&key.as_str()));
            row.to_string()
        });
        let dropped = dropped.collect::<Vec<_>>().join("\n");
        files.insert("dropped.jsonl".into(), dropped.into_bytes());
        files
    };
    let whole = run(200);
    assert!(whole.len() >= 6);
    for chunk in [199, 50, 7] {
        assert!(run(chunk) == whole, "files of {chunk} rows");
    }
}

#[test]
fn an_interrupted_run_leaves_nothing_that_looks_complete() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(3, 60))];
    let pictures = pictures(folder.path());
    let whole = folder.path().join("whole");
    let steps = Cell::new(0);
    curation(&rows, &pictures).run(&whole, &mut |_| steps.set(steps.get() + 1)).unwrap();
    let (whole, steps) = (contents(&whole), steps.get());

    let out = folder.path().join("out");
    let partial = folder.path().join("out.partial");
    for stop in (1..=steps).step_by(11).chain([steps]) {
        let mut heard = 0;
        let broken = catch_unwind(AssertUnwindSafe(|| {
            curation(&rows, &pictures).run(&out, &mut |_| {
                heard += 1;
                assert!(heard < stop, "the run is interrupted");
            })
        }));
        assert!(broken.is_err() && !out.exists(), "step {stop}");
        let left = contents(&partial);
        for file in left.keys() {
            let name = file.to_string_lossy();
            assert!(!["README.md", "card.json"].contains(&name.as_ref()), "step {stop}: {name}");
        }
    }
    curation(&rows, &pictures).run(&out, &mut |_| {}).unwrap();
    assert!(!partial.exists());
    assert!(contents(&out) == whole);
}

#[test]
fn a_picture_that_disappears_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(4, 60))];
    let pictures = pictures(folder.path());
    let mut gates = GateSettings::default();
    gates.disable("picture");
    let run = || {
        let curation = curation(&rows, &pictures).with_gates(gates);
        curation.run(folder.path().join("out"), &mut |_| {})
    };
    if ExportFormat::ALL.contains(&ExportFormat::Parquet) {
        let error = run().unwrap_err();
        assert!(matches!(error, CurationError::Picture { .. }), "{error}");
        assert!(error.to_string().contains(pictures.to_str().unwrap()), "{error}");
        write_pictures(&pictures, ["j", "k"]);
    }
    run().unwrap();
}

#[test]
fn a_damaged_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_rows(&folder.path().join("rows.jsonl"), &mixed(5, 5));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let run = curation(std::slice::from_ref(&path), folder.path())
        .run(folder.path().join("out"), &mut |_| {});
    let error = run.unwrap_err();
    let CurationError::Core(vigc_core::Error::Line { line: 5, path: named, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!(named, &path);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn existing_folders_are_not_overwritten_and_empty_data_sets_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let rows = mixed(6, 20);
    let path = write_rows(&folder.path().join("rows.jsonl"), &rows);
    let run = curation(std::slice::from_ref(&path), folder.path()).run(folder.path(), &mut |_| {});
    assert!(matches!(run.unwrap_err(), CurationError::Exists(_)));
    // There are no pictures.
    let run = curation(&[path], folder.path()).run(folder.path().join("out"), &mut |_| {});
    let error = run.unwrap_err().to_string();
    assert_eq!(error, "no rows are left: 20 were read; picture dropped 20");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn two_runs_cannot_write_to_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(7, 20))];
    let pictures = pictures(folder.path());
    let out = folder.path().join("out");
    let mut tried = 0;
    let first = curation(&rows, &pictures).run(&out, &mut |_| {
        let error = curation(&rows, &pictures).run(&out, &mut |_| {}).unwrap_err();
        assert!(matches!(error, CurationError::Core(vigc_core::Error::InUse { .. })), "{error}");
        tried += 1;
    });
    assert!(first.is_ok() && tried > 20);
}

#[test]
fn without_gates_all_rows_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = mixed(8, 50);
    let path = write_rows(&folder.path().join("rows.jsonl"), &rows);
    let curation = Curation::new([&path]).with_gates(GateSettings::none());
    curation.run(folder.path().join("out"), &mut |_| {}).unwrap();
    assert_eq!(fs::read(folder.path().join("out/kept.jsonl")).unwrap(), fs::read(path).unwrap());
}
