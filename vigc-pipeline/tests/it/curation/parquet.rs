//! The Parquet export.

use std::fs::{self, File};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record};
use serde_json::Value;
use vigc_pipeline::curation::Row;
use vigc_pipeline::curation::export::{COLUMNS, ColumnKind, ExportFormat};

use super::runs::{curation, pictures};
use super::sample_rows::{mixed, png, write_rows};

/// The Parquet files of a data set, in order.
fn shards(out: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(out.join("data")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    paths.sort();
    paths
}

fn reader(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

/// A value of a file as JSON, with the bytes of pictures as lists.
fn json(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(flag) => (*flag).into(),
        Field::Float(number) => (*number).into(),
        Field::Str(text) => text.as_str().into(),
        Field::Bytes(bytes) => bytes.data().into(),
        Field::ListInternal(list) => list.elements().iter().map(json).collect(),
        Field::Group(group) => record(group),
        other => panic!("{other:?}"),
    }
}

fn record(record: &Record) -> Value {
    let columns = record.get_column_iter().map(|(name, field)| (name.clone(), json(field)));
    Value::Object(columns.collect())
}

fn records(path: &Path) -> Vec<Value> {
    let reader = reader(path);
    reader.get_row_iter(None).unwrap().map(|found| record(&found.unwrap())).collect()
}

#[test]
fn rows_are_read_back_with_their_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(11, 300))];
    let out = folder.path().join("out");
    let card = curation(&rows, &pictures(folder.path())).run(&out, &mut |_| {}).unwrap();

    let paths = shards(&out);
    assert!(paths.len() > 2, "{paths:?}");
    let names = (0..paths.len()).map(|index| {
        out.join("data").join(format!("train-{index:05}-of-{:05}.parquet", paths.len()))
    });
    assert_eq!(paths, names.collect::<Vec<_>>());
    let records = paths.iter().flat_map(|path| records(path)).collect::<Vec<_>>();

    let kept = fs::read_to_string(out.join("kept.jsonl")).unwrap();
    let kept =
        kept.lines().map(|line| Row::from_json(line.as_bytes()).unwrap()).collect::<Vec<_>>();
    assert_eq!(records.len(), kept.len());
    let mut lists = 0;
    for (line, (row, found)) in kept.iter().zip(&records).enumerate() {
        assert_eq!(found["image"]["bytes"], Value::from(png(row.image_id())));
        assert_eq!(found["image"]["path"], format!("{}.png", row.image_id()));
        assert_eq!(found["id"], format!("{}-{}-{}", row.image_id(), row.task(), line + 1));
        assert_eq!(
            (&found["question"], &found["answer"]),
            (&row.question().into(), &row.answer().into())
        );
        assert_eq!((&found["draft"], &found["model"]), (&row.draft().into(), &"made-up".into()));
        assert_eq!(found["settings"], row.settings().unwrap());
        let turns = serde_json::to_value(row.to_llava().conversations).unwrap();
        assert_eq!(found["conversations"], turns);
        match row {
            Row::Instruction(sample) => {
                assert_eq!(found["changed"], sample.is_changed());
                assert_eq!(found["stop"], "model_ended");
                assert!((found["log_prob"].as_f64().unwrap() + 0.1).abs() < 1e-3);
                assert_eq!(found["answers"], Value::Array(Vec::new()));
            }
            Row::Knowledge(sample) => {
                lists += 1;
                assert_eq!((&found["changed"], &found["log_prob"]), (&Value::Null, &Value::Null));
                assert_eq!(found["answers"][1]["text"], sample.answers[1].text);
                assert!((found["answers"][0]["weight"].as_f64().unwrap() - 0.7).abs() < 1e-6);
            }
        }
    }
    assert!(lists > 0 && lists < kept.len());

    let written =
        card.files.iter().find(|written| written.format == ExportFormat::Parquet).unwrap();
    assert_eq!((written.rows, written.files.len()), (card.rows.kept, paths.len()));
    let bytes = paths.iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    assert_eq!(written.bytes, bytes);
}

#[test]
fn files_declare_the_column_of_pictures_and_store_each_picture_once() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [write_rows(&folder.path().join("rows.jsonl"), &mixed(12, 100))];
    let out = folder.path().join("out");
    let options = vigc_pipeline::curation::export::ExportOptions::default();
    let curation = curation(&rows, &pictures(folder.path())).with_options(options);
    let card = curation.run(&out, &mut |_| {}).unwrap();
    let paths = shards(&out);
    assert_eq!(paths.len(), 1);
    let file = reader(&paths[0]);

    let entries = file.metadata().file_metadata().key_value_metadata().unwrap();
    let entry = entries.iter().find(|entry| entry.key == "huggingface").unwrap();
    let entry = serde_json::from_str::<Value>(entry.value.as_deref().unwrap()).unwrap();
    let features = entry["info"]["features"].as_object().unwrap();
    assert!(features.keys().eq(COLUMNS.iter().map(|(name, _)| name)));
    for (name, kind) in COLUMNS {
        assert_eq!(features[name]["_type"] == "Image", kind == ColumnKind::Image, "{name}");
    }

    let size = card.pictures * png("a").len() as u64;
    let group = file.metadata().row_group(0);
    let column =
        group.columns().iter().find(|column| column.column_path().string() == "image.bytes");
    let stored = column.unwrap().compressed_size() as u64;
    assert!(stored < size + size / 2, "{stored} bytes for {} pictures", card.pictures);
}
