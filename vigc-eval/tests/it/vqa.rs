//! Short answers against the upstream programs of VQA, LAVIS, mmpretrain and A-OKVQA.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use vigc_eval::report::{Cell, Findings, Metric, Table};
use vigc_eval::vqa::normalize::{digits_and_articles, normalize, punctuation};
use vigc_eval::vqa::{Rule, Score, Vqa, VqaFiles};

/// Shares; sums of a few hundred doubles in another order differ by less.
const TOLERANCE: f64 = 1e-12;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vqa").join(name)
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

/// Whether a share is a recorded percentage.
fn equal(share: f64, percent: f64) -> bool {
    (share - percent / 100.0).abs() <= TOLERANCE
}

fn metric(metrics: &[Metric], name: &str) -> f64 {
    metrics.iter().find(|metric| metric.name == name).unwrap().estimate.value.unwrap()
}

#[derive(Deserialize)]
struct Normalized {
    text: String,
    punctuation: String,
    digits_and_articles: String,
    normalize: String,
}

#[test]
fn answers_are_normalized_as_vqas_program_does() {
    let rows: Vec<Normalized> = read("normalize.json");
    assert!(rows.len() > 1000);
    for row in rows {
        let text = row.text.as_str();
        assert_eq!(punctuation(text), row.punctuation, "{text:?}");
        assert_eq!(digits_and_articles(text), row.digits_and_articles, "{text:?}");
        assert_eq!(normalize(text), row.normalize, "{text:?}");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accuracy {
    overall: f64,
    per_question_type: BTreeMap<String, f64>,
    per_answer_type: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Expected {
    vqa: Accuracy,
    lavis: Accuracy,
    reference: f64,
    rows: Vec<ExpectedRow>,
}

#[derive(Deserialize)]
struct ExpectedRow {
    question_id: u64,
    answer: String,
    vqa: f64,
    lavis: f64,
    reference: f64,
}

fn check_table(table: &Table, expected: &BTreeMap<String, f64>) {
    assert_eq!(table.rows.len(), expected.len(), "{}", table.title);
    for row in &table.rows {
        let Cell::Estimate { estimate, .. } = &row.cells[1] else { panic!("{row:?}") };
        assert!(equal(estimate.value.unwrap(), expected[&row.name]), "{row:?}");
    }
}

#[test]
fn vqa_accuracies_equal_the_programs() {
    let files = VqaFiles {
        questions: fixture("questions.json"),
        annotations: Some(fixture("annotations.json")),
        image_name: "{}.jpg".to_owned(),
        images: "pictures".into(),
    };
    let suite = Vqa::open_vqav2(&files).unwrap();
    let expected: Expected = read("expected.json");
    assert!(expected.rows.len() > 400);
    let answer = |row: &ExpectedRow| (row.question_id.to_string(), row.answer.clone());
    let score = suite.score(&expected.rows.iter().map(answer).collect()).unwrap();
    assert_eq!(score.scored.len(), expected.rows.len());
    for (scored, row) in score.scored.iter().zip(&expected.rows) {
        assert_eq!(scored.question.id, row.question_id.to_string());
        for (rule, percent) in [row.vqa, row.lavis, row.reference].into_iter().enumerate() {
            let rules = suite.rules();
            assert!(equal(scored.accuracies[rule], percent), "{:?}: {scored:?}", rules[rule]);
        }
    }
    let Findings { metrics, tables, .. } = score.findings();
    assert!(equal(metric(&metrics, &Rule::Vqa.to_string()), expected.vqa.overall));
    assert!(equal(metric(&metrics, &Rule::Lavis.to_string()), expected.lavis.overall));
    assert!(equal(metric(&metrics, &Rule::Vigc.to_string()), expected.reference));
    check_table(&tables[0], &expected.vqa.per_question_type);
    check_table(&tables[1], &expected.vqa.per_answer_type);
}

#[derive(Deserialize)]
struct AokvqaExpected {
    multiple_choice: f64,
    direct_answer: f64,
    rows: HashMap<String, AokvqaRow>,
}

#[derive(Deserialize)]
struct AokvqaRow {
    multiple_choice: Option<String>,
    direct_answer: Option<String>,
    multiple_choice_accuracy: f64,
    direct_answer_accuracy: Option<f64>,
}

fn check_aokvqa(score: &Score<'_>, total: f64, expected: &HashMap<String, Option<f64>>) {
    let is_scored = |(_, percent): &(&String, &Option<f64>)| percent.is_some();
    assert_eq!(score.scored.len(), expected.iter().filter(is_scored).count());
    for scored in &score.scored {
        let percent = expected[&scored.question.id].unwrap();
        assert!(equal(scored.accuracies[0], percent), "{scored:?}");
    }
    assert!(score.missing() > 0);
    assert!(equal(metric(&score.findings().metrics, "accuracy"), total));
}

#[test]
fn aokvqa_accuracies_equal_the_programs() {
    let path = fixture("aokvqa.json");
    let AokvqaExpected { multiple_choice, direct_answer, rows } = read("aokvqa_expected.json");
    assert!(rows.len() > 200);
    let answers = |answer: fn(&AokvqaRow) -> &Option<String>| {
        let answer = |(id, row): (&String, _)| Some((id.clone(), answer(row).clone()?));
        rows.iter().filter_map(answer).collect::<HashMap<_, _>>()
    };
    let expected = |percent: fn(&AokvqaRow) -> Option<f64>| {
        rows.iter().map(|(id, row)| (id.clone(), percent(row))).collect::<HashMap<_, _>>()
    };

    let suite = Vqa::open_aokvqa_choice(&path, "pictures").unwrap();
    let score = suite.score(&answers(|row| &row.multiple_choice)).unwrap();
    check_aokvqa(&score, multiple_choice, &expected(|row| Some(row.multiple_choice_accuracy)));
    assert!(score.no_choices() > 0 && score.left_out == 0);

    let suite = Vqa::open_aokvqa_direct(&path, "pictures").unwrap();
    let score = suite.score(&answers(|row| &row.direct_answer)).unwrap();
    check_aokvqa(&score, direct_answer, &expected(|row| row.direct_answer_accuracy));
    assert!(score.left_out > 0);
}
