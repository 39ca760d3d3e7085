//! The questions that are made and asked, missing answers, and the report.

use std::fs;

use super::*;
use crate::report::Cell;

const KINDS: [&str; 6] = ["person", "dog", "cup", "apple", "car", "orange"];

/// Images that show all kinds of objects except two.
fn pictures() -> Vec<Picture> {
    let shown = |at: usize| (0..4).map(move |next| KINDS[(at + next) % KINDS.len()].to_owned());
    (0..12).map(|at| Picture::new(format!("{at}.jpg"), shown(at))).collect()
}

fn settings(seed: u64) -> Build {
    Build { pictures: 8, objects: 2, seed, ..Build::default() }
}

fn pope() -> Pope {
    Pope::build(&pictures(), &settings(3), "images").unwrap()
}

#[test]
fn half_of_the_questions_are_about_present_objects() {
    let shown: HashMap<String, Picture> =
        pictures().into_iter().map(|picture| (picture.image.clone(), picture)).collect();
    assert_eq!(
        pope().sets().iter().map(|set| set.name.as_str()).collect::<Vec<_>>(),
        ["random", "popular", "adversarial"]
    );
    for set in pope().sets() {
        assert_eq!(set.questions.len(), 8 * 2 * 2);
        for pair in set.questions.chunks(2) {
            for question in pair {
                let is_named = |object: &&String| question.text.contains(&format!(" {object} in"));
                let is_there =
                    shown[&question.image].objects.iter().any(|object| is_named(&object));
                assert_eq!(question.label == Label::Yes, is_there, "{question:?}");
            }
            assert_eq!((pair[0].label, pair[1].label), (Label::Yes, Label::No));
        }
        let texts: HashSet<(&str, &str)> =
            set.questions.iter().map(|q| (q.image.as_str(), q.text.as_str())).collect();
        assert_eq!(texts.len(), set.questions.len(), "no question twice");
        let texts: Vec<&str> = set.questions.iter().map(|q| q.text.as_str()).collect();
        assert!(texts.contains(&"Is there an apple in the image?"));
        assert!(texts.contains(&"Is there a person in the image?"));
    }
}

#[test]
fn questions_depend_on_the_seed() {
    assert_eq!(pope(), pope());
    let other = Pope::build(&pictures(), &settings(4), "images").unwrap();
    assert_ne!(pope().sets()[0], other.sets()[0]);
}

#[test]
fn an_image_that_shows_everything_has_no_question_about_absent_objects() {
    let all = vec![Picture::new("all.jpg", ["a", "b", "a"].map(str::to_owned))];
    assert_eq!(all[0].objects, ["a", "b"]);
    for sampling in Sampling::ALL {
        let questions = settings(0).questions(&all, sampling).unwrap();
        assert!(questions.iter().all(|question| question.label == Label::Yes), "{questions:?}");
        assert_eq!(questions.iter().map(|q| q.question_id).collect::<Vec<_>>(), [1, 2]);
    }
}

#[test]
fn settings_that_cannot_be_met_are_errors() {
    let many = Build { objects: 5, ..settings(0) };
    let error = Pope::build(&pictures(), &many, "images").unwrap_err().to_string();
    assert_eq!(error, "0 images show 5 or more objects, expected 8 such images");
    let template = Build { template: "Is there a cat?".to_owned(), ..settings(0) };
    let error = Pope::build(&pictures(), &template, "images").unwrap_err().to_string();
    assert!(error.contains("\"Is there a cat?\" has no {}"), "{error}");
}

#[test]
fn missing_answers_are_wrong_and_counted() {
    let queries = pope().queries();
    let first = (queries[0].id.as_str(), &queries[0].mode);
    assert_eq!(first, ("random/1", &AnswerMode::Generate));
    let right: HashMap<String, String> = (pope().sets().iter().flat_map(QuestionSet::with_ids))
        .map(|(id, question)| (id, question.label.name().replace("no", "No.")))
        .collect();
    let score = pope().score(&right).unwrap();
    assert!(score.sets.iter().all(|set| set.f1().value == Some(1.0)));
    assert_eq!(score.sets[0].yes_ratio().value, Some(0.5));
    assert_eq!(score.findings().samples, []);

    let mut some = right.clone();
    some.remove("random/1");
    some.remove("random/4");
    some.insert("popular/3".to_owned(), "No".to_owned());
    let score = pope().score(&some).unwrap();
    let random = &score.sets[0];
    assert_eq!(random.confusion().missing(), 2);
    assert_eq!(random.accuracy().value, Some(30.0 / 32.0));
    assert_eq!(random.precision().value, Some(15.0 / 16.0));
    assert_eq!(random.recall().value, Some(15.0 / 16.0));
    assert_eq!(random.yes_ratio().value, Some(0.5));
    let Findings { metrics, tables, samples, .. } = score.findings();
    assert_eq!(metrics.last().unwrap().estimate.value, Some(2.0));
    assert_eq!(metrics[0].name, "accuracy, random");
    assert!(tables[0].rows.iter().all(|row| row.cells.len() == tables[0].columns.len()));
    assert_eq!(tables[0].rows[0].cells[1], Cell::Count(2));
    let ids: Vec<(&str, &str)> =
        samples.iter().map(|sample| (sample.id.as_str(), sample.note.as_str())).collect();
    assert_eq!(
        ids,
        [("random/1", "no answer"), ("popular/3", "read as no"), ("random/4", "no answer")]
    );
}

#[test]
fn an_answer_to_no_question_is_refused() {
    let answers = HashMap::from([("random/99".to_owned(), "yes".to_owned())]);
    let error = pope().score(&answers).unwrap_err().to_string();
    assert!(error.contains("\"random/99\""), "{error}");
}

#[test]
fn published_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let row = r#"{"question_id": 0, "image": "1.jpg", "image_id": 1, "text": "Is there an oven in the imange?", "label": "no"}"#;
    let questions = open_questions(write("questions.json", &format!("{row}\n\n"))).unwrap();
    assert_eq!((questions[0].question_id, questions[0].label), (0, Label::No));
    assert_eq!(questions[0].text, "Is there an oven in the imange?");
    let cases = [
        (format!("{row}\n{row}"), "row 1: question_id is 0"),
        (row.replace("\"no\"", "\"No\""), "row 0: label is \"No\", expected \"yes\" or \"no\""),
        (row.replace("\"label\"", "\"answer\""), "row 0: label is missing"),
        ("[]".to_owned(), "line 1 is not a row"),
    ];
    for (text, expected) in cases {
        let error = open_questions(write("broken.json", &text)).unwrap_err().to_string();
        assert!(error.contains("broken.json") && error.contains(expected), "{error}");
    }
    let shown = write(
        "objects.json",
        "{\"image\": \"1.jpg\", \"objects\": [\"cat\", \"bed\"]}\n{\"image\": \"2.jpg\", \"objects\": []}\n",
    );
    let pictures = open_pictures(shown).unwrap();
    assert_eq!(pictures[0].objects, ["cat", "bed"]);
    assert!(pictures[1].objects.is_empty());
    assert!(open_pictures(write("broken.json", "{\"image\": \"1.jpg\"}")).is_err());
}
