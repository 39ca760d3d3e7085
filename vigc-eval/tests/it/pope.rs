//! POPE against the upstream program: the questions that it makes from annotations, and the scores of answers.

use std::collections::HashMap;

use serde::Deserialize;
use vigc_eval::Suite;
use vigc_eval::interval::Estimate;
use vigc_eval::pope::{
    Build, Candidates, Label, Picture, Pope, Question, QuestionSet, Sampling, open_questions,
    write_questions,
};

#[derive(Deserialize)]
struct Made {
    pictures: Vec<Objects>,
    popular: Vec<String>,
    beside: HashMap<String, Vec<String>>,
    sets: Vec<Set>,
}

#[derive(Deserialize)]
struct Objects {
    image: String,
    objects: Vec<String>,
}

#[derive(Deserialize)]
struct Set {
    kind: String,
    backwards: bool,
    text: String,
}

#[test]
fn questions_are_those_of_the_upstream_program() {
    let golden: Vec<Made> =
        serde_json::from_str(include_str!("../fixtures/pope/questions.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, mut count) = (folder.path().join("questions.json"), 0);
    for made in golden {
        let pictures: Vec<Picture> =
            made.pictures.into_iter().map(|row| Picture::new(row.image, row.objects)).collect();
        let candidates = Candidates::of(&pictures);
        assert_eq!(candidates.popular(), made.popular);
        for (object, beside) in &made.beside {
            assert_eq!(candidates.beside(object), beside, "{object}");
        }
        for set in made.sets {
            let is_kind = |sampling: &Sampling| sampling.name() == set.kind;
            let sampling = Sampling::ALL.into_iter().find(is_kind).unwrap();
            let mut draw = |len| if set.backwards { len - 1 } else { 0 };
            let build = Build::default();
            let questions = build.questions_drawn_by(&pictures, sampling, &mut draw).unwrap();
            write_questions(&path, &questions).unwrap();
            // The upstream program turns every "a" of the template into "an".
            let expected = set.text.replace("imange", "image");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected, "{}", set.kind);
            assert_eq!(open_questions(&path).unwrap(), questions);
            count += questions.len();
        }
    }
    assert!(count > 1000);
}

#[derive(Deserialize)]
struct Answers {
    name: String,
    rows: Vec<Row>,
    measures: Measures,
}

#[derive(Deserialize)]
struct Row {
    label: Label,
    answer: String,
    said: Label,
}

#[derive(Deserialize)]
#[expect(non_snake_case, reason = "the program's names")]
struct Measures {
    TP: usize,
    FP: usize,
    TN: usize,
    FN: usize,
    precision: f64,
    recall: f64,
    f1: f64,
    acc: f64,
    yes_ratio: f64,
}

#[test]
fn answers_are_scored_as_by_the_upstream_program() {
    let golden: Vec<Answers> =
        serde_json::from_str(include_str!("../fixtures/pope/answers.json")).unwrap();
    assert!(golden.iter().map(|set| set.rows.len()).sum::<usize>() > 300);
    let question = |(id, row): (u64, &Row)| Question {
        question_id: id,
        image: format!("{}.jpg", id / 6),
        text: "Is there?".to_owned(),
        label: row.label,
    };
    let sets = golden.iter().map(|set| QuestionSet {
        name: set.name.clone(),
        questions: (0..).zip(&set.rows).map(question).collect(),
    });
    let pope = Pope::new(sets.collect(), "images");
    let rows = golden.iter().flat_map(|set| &set.rows);
    let answers: HashMap<String, String> = pope
        .queries()
        .into_iter()
        .map(|query| query.id)
        .zip(rows.map(|row| row.answer.clone()))
        .collect();
    let score = pope.score(&answers).unwrap();

    for (found, set) in score.sets.iter().zip(&golden) {
        for (answer, row) in found.answers.iter().zip(&set.rows) {
            assert_eq!(answer.said, Some(row.said), "{:?}", row.answer);
        }
        let (measures, confusion) = (&set.measures, found.confusion());
        assert_eq!(confusion.true_positives, measures.TP);
        assert_eq!(confusion.false_positives, measures.FP);
        assert_eq!(confusion.true_negatives, measures.TN);
        assert_eq!(confusion.false_negatives, measures.FN);
        let is = |found: Estimate, expected: f64| found.value == Some(expected);
        assert!(is(found.accuracy(), measures.acc), "{}", set.name);
        assert!(is(found.precision(), measures.precision), "{}", set.name);
        assert!(is(found.recall(), measures.recall), "{}", set.name);
        assert!(is(found.f1(), measures.f1), "{}", set.name);
        assert!(is(found.yes_ratio(), measures.yes_ratio), "{}", set.name);
    }
}

#[test]
fn scenes_are_asked_about() {
    use vigc_eval::answers::{Query, QueryImage};
    use vigc_eval::pope::{SetScore, pictures_of_instances};
    use vigc_scenes::DatasetConfig;

    let folder = tempfile::tempdir().unwrap();
    let scenes = folder.path().join("scenes");
    DatasetConfig::new(2).with_train_count(40).with_side(32).write(&scenes, |_| {}).unwrap();
    let pictures = pictures_of_instances(scenes.join("train/instances_train.json")).unwrap();
    assert_eq!(pictures.len(), 40);
    let settings = Build { pictures: 10, objects: 2, seed: 1, ..Build::default() };
    let images = scenes.join("train/images");
    let pope = Pope::build(&pictures, &settings, images).unwrap();
    let queries = pope.queries();
    assert_eq!(queries.len(), 3 * 10 * 4);
    let exists = |query: &Query| matches!(&query.image, QueryImage::File(path) if path.exists());
    assert!(queries.iter().all(exists));
    let answers: HashMap<String, String> =
        queries.into_iter().map(|query| (query.id, "Yes.".to_owned())).collect();
    let score = pope.score(&answers).unwrap();
    let shares = |set: &SetScore| [set.accuracy(), set.recall(), set.yes_ratio()].map(|e| e.value);
    assert!(score.sets.iter().all(|set| shares(set) == [Some(0.5), Some(1.0), Some(1.0)]));
}
