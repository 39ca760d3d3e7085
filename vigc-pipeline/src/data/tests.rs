//! Tests of the readers, with files as they are published and with broken ones.

use std::fs;
use std::path::PathBuf;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, value: &serde_json::Value) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, value.to_string()).expect("the folder is there");
        path
    }
}

#[test]
fn llava_in_both_forms() {
    let folder = Folder::new();
    let rows = open_llava(folder.write(
        "llava.json",
        &json!([
            {"image": "a.jpg", "question": "Q?", "answer": ["A.", "B.", "A."], "question_id": 7},
            {"id": "b", "image": "b.jpg", "conversations": [
                {"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "This."},
                {"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."},
            ]},
        ]),
    ))
    .unwrap()
    .rows;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].answers, [("A.".to_owned(), 2.0), ("B.".to_owned(), 1.0)]);
    assert_eq!(rows[0].question_id.as_deref(), Some("7"));
    assert_eq!((rows[1].question.as_str(), rows[2].question.as_str()), ("What?", "Why?"));
    assert_eq!(rows[2].question_id.as_deref(), Some("b_1"));
}

#[test]
fn visual_question_answering() {
    let folder = Folder::new();
    let okvqa =
        folder.write("okvqa.json", &json!([{"image": "x.jpg", "question": "Q?", "answer": "A"}]));
    assert_eq!(open_okvqa(okvqa).unwrap().rows[0].answers, [("A".to_owned(), 1.0)]);
    let aokvqa = folder.write(
        "aokvqa.json",
        &json!([
            {"image_id": 42, "question": "Q?", "choices": ["a", "b"], "correct_choice_idx": 1,
             "direct_answers": ["b"], "question_id": "abc"},
            {"image_path": "t/x.jpg", "question": "Q?", "choices": ["a", "b"], "question_id": "t"},
        ]),
    );
    let rows = open_aokvqa(aokvqa).unwrap().rows;
    assert_eq!(rows[0].image, PathBuf::from("000000000042.jpg"));
    assert_eq!(rows[0].choices, Some((vec!["a".to_owned(), "b".to_owned()], 1)));
    assert!(rows[1].answers.is_empty() && rows[1].choices.is_none());
    let wrong =
        json!([{"image_id": 1, "question": "Q?", "choices": ["a"], "correct_choice_idx": 1}]);
    let error = open_aokvqa(folder.write("wrong.json", &wrong)).unwrap_err().to_string();
    assert!(error.contains("row 0: correct_choice_idx is 1, expected the index"), "{error}");
    let questions = folder.write(
        "q.json",
        &json!({"questions": [{"image_id": 9, "question": "Q?", "question_id": 90}]}),
    );
    let answers = folder.write(
        "a.json",
        &json!({"annotations": [{"question_id": 90, "answers": [{"answer": "yes"}, {"answer": "yes"}]}]}),
    );
    let rows = open_vqav2(questions, answers, "COCO_val2014_{}.jpg").unwrap().rows;
    assert_eq!(rows[0].image, PathBuf::from("COCO_val2014_000000000009.jpg"));
    assert_eq!(rows[0].answers, [("yes".to_owned(), 2.0)]);
}

#[test]
fn coco_captions_and_objects() {
    let folder = Folder::new();
    let images = json!([{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]);
    let captions = folder.write(
        "captions.json",
        &json!({"images": images, "annotations": [{"id": 5, "image_id": 2, "caption": " A cat. "}]}),
    );
    let rows = open_coco_captions(captions).unwrap().rows;
    assert_eq!((rows[0].image.to_str(), rows[0].answers[0].0.as_str()), (Some("b.jpg"), "A cat."));
    let instances = folder.write(
        "instances.json",
        &json!({"images": images, "categories": [{"id": 3, "name": "cat"}],
            "annotations": [{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3.5, 4]}]}),
    );
    let pictures = open_coco_instances(instances).unwrap();
    assert_eq!(pictures["a.jpg"][0].category, "cat");
    assert_eq!(pictures["a.jpg"][0].bbox, [1.0, 2.0, 3.5, 4.0]);
    assert!(pictures["b.jpg"].is_empty());
}

#[test]
fn an_error_names_file_row_and_key() {
    let folder = Folder::new();
    let good = json!({"image": "a.jpg", "question": "Q?", "answer": "A"});
    let cases = [
        (json!([good, {"image": "a.jpg", "question": "Q?"}]), "row 1: answer is missing"),
        (
            json!([{"image": 7, "question": "Q?", "answer": "A"}]),
            "row 0: image is 7, expected a string",
        ),
        (json!([good, good, []]), "row 2: row is []"),
        (
            json!([{"image": "a", "conversations": [{"from": "gpt", "value": "x"}, 3]}]),
            "conversations is",
        ),
        (json!({"a": 1}), "is not a JSON list"),
    ];
    for (value, expected) in cases {
        let path = folder.write("broken.json", &value);
        let error = open_llava(path).unwrap_err().to_string();
        assert!(error.contains("broken.json") && error.contains(expected), "{error}");
    }
    let path = folder.write("broken.json", &json!({"annotations": []}));
    let error = open_vqav2(&path, &path, "{}.jpg").unwrap_err().to_string();
    assert!(
        error.ends_with("is not a JSON object with a list of objects at \"questions\""),
        "{error}"
    );
}

#[test]
fn answers_are_drawn_by_how_often_they_were_given() {
    let row = Annotation {
        image: "a.jpg".into(),
        question: "Q?".to_owned(),
        answers: vec![("often".to_owned(), 3.0), ("once".to_owned(), 1.0)],
        choices: None,
        question_id: None,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let often = (0..4000).filter(|_| row.draw_answer(&mut rng) == "often").count();
    assert!((2900..3100).contains(&often), "{often}");
}
