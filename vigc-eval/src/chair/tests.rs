//! The queries, missing captions, and the report.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::report::{Cell, SampleImage, Unit};

fn instances(folder: &Path, categories: &[&str]) -> PathBuf {
    let listed: Vec<_> = (0..)
        .zip(categories)
        .map(|(id, name): (u64, _)| json!({ "id": id, "name": name }))
        .collect();
    let images: Vec<_> =
        (1..4).map(|id| json!({ "id": id, "file_name": format!("{id}.jpg") })).collect();
    let object = |image, category| json!({ "image_id": image, "category_id": category, "bbox": [0, 0, 1, 1] });
    let objects = [object(1, 0), object(1, 0), object(1, 1), object(2, 1)];
    let path = folder.join("instances.json");
    let file = json!({ "images": images, "categories": listed, "annotations": objects });
    fs::write(&path, file.to_string()).unwrap();
    path
}

fn chair(folder: &Path) -> Chair {
    let vocabulary: Vocabulary =
        "[objects]\nlamp = ['light']\nkey = []\ntree = []".parse().unwrap();
    let truth = GroundTruth::open(&vocabulary, instances(folder, &["lamp", "key"])).unwrap();
    Chair::new(vocabulary, truth, "images")
}

fn answers(rows: &[(&str, &str)]) -> HashMap<String, String> {
    rows.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn every_image_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let queries = chair(folder.path()).with_prompt("What is there?").queries();
    let ids: Vec<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    assert_eq!(ids, ["1.jpg", "2.jpg", "3.jpg"]);
    assert_eq!(queries[0].image, QueryImage::File("images/1.jpg".into()));
    let asked = (queries[0].prompt.as_str(), &queries[0].mode);
    assert_eq!(asked, ("What is there?", &AnswerMode::Generate));
    assert_eq!(chair(folder.path()).queries()[0].prompt, PROMPT);
}

#[test]
fn images_are_kept_or_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let ids = |chair: Chair| chair.queries().into_iter().map(|query| query.id).collect::<Vec<_>>();
    assert_eq!(ids(chair(folder.path()).with_images(|id| id == "2.jpg")), ["2.jpg"]);
    let drawn = |seed| ids(chair(folder.path()).with_sample(ImageSample { count: 2, seed }));
    assert_eq!(drawn(1), drawn(1));
    assert!((0..20).any(|seed| drawn(seed) != drawn(1)));
    assert!((0..20).all(|seed| drawn(seed).len() == 2));
    assert_eq!(ids(chair(folder.path()).with_sample(ImageSample { count: 9, seed: 0 })).len(), 3);
}

#[test]
fn measures_count_words_captions_and_objects() {
    let folder = tempfile::tempdir().unwrap();
    let said =
        answers(&[("1.jpg", "Two lights, a tree."), ("2.jpg", "A tree and trees and a key")]);
    let score = chair(folder.path()).score(&said).unwrap();
    // All three captions are wrong, one because it is missing. Three of five mentions are wrong. Two of three objects
    // are mentioned.
    assert_eq!(score.chair_s().value, Some(1.0));
    assert_eq!(score.chair_i().value, Some(0.6));
    assert_eq!(score.recall().value, Some(2.0 / 3.0));
    assert_eq!(score.mentions_per_caption().value, Some(2.5));
    assert_eq!(score.words_per_caption().value, Some(5.5));
    assert_eq!(score.missing(), 1);
}

#[test]
fn the_report_shows_the_worst_captions_first() {
    let folder = tempfile::tempdir().unwrap();
    let said = answers(&[
        ("1.jpg", "A lamp and a tree."),
        ("3.jpg", "Nothing."),
        ("2.jpg", "A lamp, a tree"),
    ]);
    let found = chair(folder.path()).evaluate(&said).unwrap();
    let (metrics, tables, samples) = (found.metrics, found.tables, found.samples);
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names[..3], ["CHAIRs", "CHAIRi", "recall"]);
    assert_eq!((metrics[0].unit, metrics[0].estimate.value), (Unit::Share, Some(2.0 / 3.0)));
    let rows: Vec<(&str, &Cell)> =
        tables[0].rows.iter().map(|row| (row.name.as_str(), &row.cells[1])).collect();
    assert_eq!(
        rows,
        [("tree", &Cell::Count(2)), ("lamp", &Cell::Count(1)), ("key", &Cell::Count(0))]
    );
    assert!(tables[0].rows.iter().all(|row| row.cells.len() == tables[0].columns.len()));
    let ids: Vec<&str> = samples.iter().map(|sample| sample.id.as_str()).collect();
    assert_eq!(ids, ["2.jpg", "1.jpg"]);
    assert_eq!(samples[0].note, "not in the image: lamp, tree");
    assert_eq!((samples[0].expected.as_str(), samples[0].score), ("key", 0.0));
    assert_eq!(samples[1].score, 0.5);
    assert_eq!(samples[0].image, Some(SampleImage::File("images/2.jpg".into())));
}

#[test]
fn without_mentions_there_is_no_share() {
    let folder = tempfile::tempdir().unwrap();
    let score = chair(folder.path()).with_images(|id| id == "3.jpg").score(&HashMap::new());
    let score = score.unwrap();
    assert_eq!((score.chair_i().value, score.recall().value), (None, None));
    assert_eq!((score.chair_s().value, score.missing()), (Some(1.0), 1));
    assert_eq!(score.findings().samples[0].note, "no caption");
}

#[test]
fn captions_and_categories_of_other_data_sets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = chair(folder.path()).score(&answers(&[("9.jpg", "A lamp")])).unwrap_err();
    assert!(error.to_string().contains("9.jpg"), "{error}");
    let vocabulary: Vocabulary = "[objects]\nlamp = []".parse().unwrap();
    let error = GroundTruth::open(&vocabulary, instances(folder.path(), &["lamp", "key"]));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("instances.json") && error.contains("\"key\""), "{error}");
}

#[test]
fn captions_are_read_as_cocos_results_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("captions.json");
    let rows = r#"[{"image_id": 2, "caption": "A lamp"}, {"image": "1.jpg", "text": "A key"}]"#;
    fs::write(&path, rows).unwrap();
    let texts = chair(folder.path()).read_answers(&path).unwrap().texts;
    assert_eq!(texts, answers(&[("2.jpg", "A lamp"), ("1.jpg", "A key")]));
    fs::write(&path, r#"[{"image_id": 9, "caption": "A lamp"}]"#).unwrap();
    let chair = chair(folder.path());
    let error = chair.evaluate(&chair.read_answers(&path).unwrap().texts).unwrap_err().to_string();
    assert!(error.contains("\"9\"") && error.contains("file_name"), "{error}");
    assert_eq!(last_number("COCO_val2014_000000000042.jpg"), Some(42));
    assert_eq!((last_number("cat.jpg"), last_number("1b")), (None, None));
}
