//! Readers, on files as they are published and on broken ones.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

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
    assert!(error.contains("row 0: correct_choice_idx is 1, expected the place"), "{error}");
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

#[test]
fn rows_take_the_form_that_is_asked_for() {
    let row = |answer: &str| Annotation {
        image: "a.jpg".into(),
        question: "What is it?".to_owned(),
        answers: vec![(answer.to_owned(), 1.0)],
        choices: None,
        question_id: None,
    };
    let rows = vec![row("A cat. It sits. It is 3.5 m tall.")];
    let annotations = Arc::new(Annotations { path: "rows.json".into(), rows });
    let images = Arc::new(AnnotatedImages::new("images", [annotations.as_ref()]));
    let data = |form| Instructed {
        name: "rows".to_owned(),
        annotations: annotations.clone(),
        images: images.clone(),
        first_image: 10,
        topic: Topic::Conversation,
        form,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let vig = data(Form::Vig).row(0, &mut rng).unwrap();
    assert!(vig.output.starts_with(" Question: What is it? Answer: A cat."), "{vig:?}");
    let vic = data(Form::Vic).row(0, &mut rng).unwrap();
    assert_eq!((vic.image, vic.input.as_str()), (10, "What is it?"));
    for _ in 0..20 {
        let InstructionRow { input, output, .. } = data(Form::Continue).row(0, &mut rng).unwrap();
        let (_, said) = input.split_once("What is it?").unwrap();
        let said = said.trim_start_matches(" Answer:");
        let whole = format!("{} {}", said.trim(), output);
        assert_eq!(whole.trim(), "A cat. It sits. It is 3.5 m tall.", "{input:?}");
    }
}

#[cfg(feature = "scenes")]
#[test]
fn what_the_scenes_write_is_read_back() {
    use crate::scenes::DatasetConfig;

    let folder = Folder::new();
    let place = folder.0.path().join("scenes");
    DatasetConfig::new(6, 1).with_side(64).write(&place, |_| {}).unwrap();
    let files = |topic, form, format, name: &str| AnnotationFile {
        path: place.join("train").join(name),
        images: place.join("train/images"),
        format,
        topic,
        form,
        ratio: 1.0,
    };
    let cases = [
        files(Topic::Conversation, Form::Vic, Format::Llava, "llava_conversation.json"),
        files(Topic::Detail, Form::Vig, Format::Llava, "vigc_detail.json"),
        files(Topic::KnowledgeVqa, Form::Vic, Format::Okvqa, "okvqa.json"),
        files(Topic::KnowledgeVqa, Form::Vig, Format::Aokvqa, "aokvqa.json"),
        files(Topic::Caption, Form::Vic, Format::CocoCaptions, "captions_train.json"),
    ];
    for file in cases {
        let annotations = file.open().unwrap();
        let images = Arc::new(AnnotatedImages::new(&file.images, [&annotations]));
        let rows = file.instructed(annotations, &images, 0);
        let row = rows.row(0, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        assert!(!row.input.is_empty() && !row.output.is_empty(), "{file:?}: {row:?}");
        assert!(rows.images.image(row.image).is_ok(), "{file:?}");
    }
    let instances = open_coco_instances(place.join("train/instances_train.json")).unwrap();
    assert_eq!(instances.len(), 6);
}
