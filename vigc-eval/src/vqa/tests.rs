//! Published and damaged files, scores, and submissions.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use vigc_pipeline::prompt::templates::BARE_QUESTION;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, value: &Value) -> PathBuf {
        fs::write(self.path(name), value.to_string()).expect("the folder is there");
        self.path(name)
    }

    /// Two questions about one image as OKVQA publishes them.
    fn okvqa(&self) -> Vqa {
        let question =
            |id: u64, text: &str| json!({"image_id": 42, "question": text, "question_id": id});
        let questions = json!({"questions": [question(421, "What Is it?"), question(420, "Why?")]});
        let answers = |text: &str| vec![json!({"answer": text}); 10];
        let row = |id: u64, answer: &str, kind: &str| {
            json!({"question_id": id, "answers": answers(answer), "question_type": kind,
                "answer_type": "other"})
        };
        let annotations =
            json!({"annotations": [row(420, "wind", "ten"), row(421, "kite", "other")]});
        let annotations = Some(self.write("annotations.json", &annotations));
        let questions = self.write("questions.json", &questions);
        let (image_name, images) = (IMAGE_NAME.to_owned(), "val2014".into());
        Vqa::open_vqav2(&VqaFiles { questions, annotations, image_name, images }).unwrap()
    }

    fn aokvqa(&self) -> PathBuf {
        let row = |id: &str, difficult: bool| {
            json!({"image_id": 7, "question_id": id, "question": "Who?", "choices": ["cab", "bus"],
                "correct_choice_idx": 1, "direct_answers": vec!["taxi"; 10],
                "difficult_direct_answer": difficult})
        };
        self.write("aokvqa.json", &json!([row("a", false), row("b", true)]))
    }
}

fn answers(answers: &[(&str, &str)]) -> HashMap<String, String> {
    answers.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn questions_are_asked_as_by_the_vigc_upstream() {
    let folder = Folder::new();
    let suite = folder.okvqa();
    let queries = suite.queries();
    assert_eq!(queries[0].id, "421");
    assert_eq!(queries[0].image, QueryImage::File("val2014/COCO_val2014_000000000042.jpg".into()));
    assert_eq!(queries[0].prompt, "Question: What Is it? Short answer:");
    assert_eq!(queries[0].mode, AnswerMode::Generate);
    assert_eq!(suite.questions()[1].question_type.as_deref(), Some("weather and climate"));
    let other = suite.with_text_processor(TextProcessor::BlipCaption).with_template(BARE_QUESTION);
    assert_eq!(other.queries()[0].prompt, "what is it?");

    let suite = Vqa::open_aokvqa_choice(folder.aokvqa(), "val2017").unwrap();
    assert_eq!(
        suite.queries()[1].mode,
        AnswerMode::Choose(vec!["cab".to_owned(), "bus".to_owned()])
    );
    assert_eq!(suite.queries()[1].prompt, "Question: Who? Short answer:");
}

#[test]
fn the_reports_numbers_and_samples_are_those_of_the_answers() {
    let folder = Folder::new();
    let suite = folder.okvqa();
    let score = suite.score(&answers(&[("421", "kite")])).unwrap();
    assert_eq!((score.missing(), score.left_out), (1, 0));
    let Findings { metrics, tables, samples, .. } = score.findings();
    assert_eq!(metrics[0].estimate.value, Some(0.5));
    assert_eq!(metrics[0].estimate.low, metrics[0].estimate.high, "one image has no variance");
    let names: Vec<_> = tables[0].rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["other", "weather and climate"]);
    assert_eq!((samples[0].id.as_str(), samples[0].expected.as_str()), ("420", "wind (10)"));
    assert_eq!((samples[0].note.as_str(), samples[1].score), ("no answer", 1.0));
    let unknown = suite.score(&answers(&[("9", ""), ("8", "")])).unwrap_err().to_string();
    assert!(
        unknown.contains("2 of the answers") && unknown.contains("first to \"8\""),
        "{unknown}"
    );
}

#[test]
fn secret_answers_are_left_out() {
    let folder = Folder::new();
    let questions = json!({"questions": [{"image_id": 1, "question": "Q?", "question_id": 2}]});
    let questions = folder.write("questions.json", &questions);
    let (image_name, images) = ("{}.jpg".to_owned(), "test2015".into());
    let files = VqaFiles { questions, annotations: None, image_name, images };
    let suite = Vqa::open_vqav2(&files).unwrap();
    let score = suite.score(&answers(&[("2", "yes")])).unwrap();
    assert_eq!((score.scored.len(), score.left_out), (0, 1));
    assert_eq!(score.findings().metrics[0].estimate.value, None);

    let rows =
        json!([{"image_id": 1, "question": "Q?", "question_id": "t", "choices": ["a", "b"]}]);
    let suite = Vqa::open_aokvqa_choice(folder.write("test.json", &rows), "").unwrap();
    assert_eq!(suite.score(&HashMap::new()).unwrap().left_out, 1);
}

#[test]
fn rows_without_ids_are_identified_by_their_position() {
    let folder = Folder::new();
    let row = json!({"image": "a.jpg", "question": "Q?", "answer": ["yes", "no"]});
    let suite = Vqa::open_rows(folder.write("rows.json", &json!([row, row])), "").unwrap();
    assert_eq!(
        suite.queries().iter().map(|query| query.id.as_str()).collect::<Vec<_>>(),
        ["0", "1"]
    );
    assert!(suite.score(&answers(&[("1", "yes")])).unwrap().findings().tables.is_empty());
}

#[test]
fn an_error_names_file_row_and_key() {
    let folder = Folder::new();
    let row = |more: Value| {
        let mut row = json!({"image_id": 1, "question": "Q?", "question_id": "t"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let choices = json!({"choices": ["a", "b"]});
    let cases = [
        (json!([row(choices.clone()), row(choices.clone())]), "has two questions with the id t"),
        (
            json!([row(choices.clone()), row(json!({"question_id": "u"}))]),
            "row 1: choices is missing",
        ),
        (
            json!([row(json!({"choices": ["a"], "correct_choice_idx": 1}))]),
            "row 0: correct_choice_idx is 1, expected the index of a choice, counted from 0",
        ),
        (
            json!([row(json!({"choices": ["a"], "difficult_direct_answer": "no"}))]),
            "row 0: difficult_direct_answer is \"no\", expected true or false",
        ),
    ];
    for (rows, expected) in cases {
        let path = folder.write("broken.json", &rows);
        let error = Vqa::open_aokvqa_choice(path, "").unwrap_err().to_string();
        assert!(error.contains("broken.json") && error.contains(expected), "{error}");
    }
}

#[test]
fn vqas_server_gets_an_answer_to_every_question() {
    let folder = Folder::new();
    let (suite, path) = (folder.okvqa(), folder.path("results.json"));
    let error = suite.write_vqav2(&answers(&[("420", "wind")]), &path).unwrap_err();
    assert!(error.to_string().contains("1 of 2 questions have no answer"), "{error}");
    assert!(!path.exists());
    suite.write_vqav2(&answers(&[("420", "wind"), ("421", "\"kite\"")]), &path).unwrap();
    let expected =
        r#"[{"question_id":421,"answer":"\"kite\""},{"question_id":420,"answer":"wind"}]"#;
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);

    let suite = Vqa::open_aokvqa_direct(folder.aokvqa(), "").unwrap();
    let error = suite.write_vqav2(&answers(&[("a", ""), ("b", "")]), &path).unwrap_err();
    assert!(matches!(error, Error::NotANumber { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn aokvqas_server_gets_choices_and_answers() {
    let folder = Folder::new();
    let suite = Vqa::open_aokvqa_choice(folder.aokvqa(), "").unwrap();
    let path = folder.path("predictions.json");
    let choices = answers(&[("a", "cab"), ("b", "bus")]);
    let direct = answers(&[("a", "taxi")]);
    let both = AokvqaAnswers { choices: Some(&choices), direct: Some(&direct) };
    suite.write_aokvqa(both, &path).unwrap();
    let expected =
        r#"{"a":{"multiple_choice":"cab","direct_answer":"taxi"},"b":{"multiple_choice":"bus"}}"#;
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);

    let taxis = answers(&[("a", "taxi"), ("b", "bus")]);
    let none = HashMap::new();
    let cases = [
        (Some(&taxis), None, "question a: \"taxi\" is not a choice, expected one of cab, bus"),
        (None, Some(&none), "1 of 1 questions have no answer"),
        (None, None, "2 of 2 questions have no answer"),
    ];
    for (choices, direct, expected) in cases {
        let given = AokvqaAnswers { choices, direct };
        let error = suite.write_aokvqa(given, &path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}
