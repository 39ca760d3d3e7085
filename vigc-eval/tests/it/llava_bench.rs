//! LLaVA-Eval on made-up files, against LLaVA's programs.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use vigc_eval::answers::{AnswerMode, Answers, QueryImage};
use vigc_eval::llava_bench::{
    JUDGE_MAX_TOKENS, JUDGE_MODEL, JUDGE_TEMPERATURE, LlavaBench, LlavaBenchFiles, LlavaEval,
    Review, ReviewFile, SYSTEM, ScorePair, read_reviews, summarize, write_reviews,
};
use vigc_eval::report::{Findings, SampleImage};
use vigc_eval::{Error, Suite};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llava_bench")
}

fn json<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_slice(&fs::read(folder().join(name)).unwrap()).unwrap()
}

pub(crate) fn bench() -> LlavaBench {
    LlavaBench::open(&LlavaBenchFiles::in_folder(folder()), "pictures").unwrap()
}

pub(crate) fn answers() -> HashMap<String, String> {
    Answers::read(folder().join("answers.jsonl")).unwrap().texts
}

#[derive(Deserialize)]
struct Parameters {
    model: String,
    temperature: f64,
    max_tokens: u32,
}

#[derive(Deserialize)]
struct Requests {
    parameters: Parameters,
    system: String,
    texts: Vec<String>,
}

#[test]
fn the_judge_is_asked_as_by_the_published_program() {
    let expected: Requests = json("requests.json");
    assert_eq!(expected.texts.len(), 72);
    assert_eq!(SYSTEM, expected.system);
    let Parameters { model, temperature, max_tokens } = expected.parameters;
    assert_eq!(
        (JUDGE_MODEL, JUDGE_TEMPERATURE, JUDGE_MAX_TOKENS),
        (model.as_str(), temperature, max_tokens)
    );
    let prompts = bench().judge_prompts(&answers()).unwrap();
    assert!(prompts.missing.is_empty());
    for (prompt, text) in prompts.prompts.iter().zip(&expected.texts) {
        assert_eq!(prompt.text, *text, "{}", prompt.question_id);
    }
    assert_eq!(prompts.prompts.len(), expected.texts.len());
}

#[test]
fn a_missing_answer_is_judged_as_an_empty_one_and_named() {
    let mut answers = answers();
    answers.remove("11");
    let prompts = bench().judge_prompts(&answers).unwrap();
    assert_eq!(prompts.missing, ["11"]);
    let text = &prompts.prompts[11].text;
    assert!(text.contains(" 2]\n\n\n[End of "), "{text}");
    answers.insert("11".into(), String::new());
    assert_eq!(bench().judge_prompts(&answers).unwrap().prompts, prompts.prompts);
    answers.insert("other".into(), String::new());
    let error = bench().judge_prompts(&answers).unwrap_err();
    assert!(matches!(error, Error::UnknownQuestion { id, .. } if id == "other"));
}

#[derive(Deserialize)]
struct ParsedReply {
    reply: String,
    tuple: [String; 2],
}

/// The scores of the upstream program. Here, the pair that stands for a failure and infinite numbers are no scores.
fn expected_scores([reference, candidate]: [f64; 2]) -> Option<ScorePair> {
    let is_pair = [reference, candidate] != [-1.0, -1.0];
    let is_finite = reference.is_finite() && candidate.is_finite();
    (is_pair && is_finite).then_some(ScorePair { reference, candidate })
}

#[test]
fn replies_are_read_as_by_the_published_program() {
    let rows: Vec<ParsedReply> = json("replies.json");
    assert!(rows.len() >= 200);
    let mut read = 0;
    for ParsedReply { reply, tuple } in rows {
        let expected = expected_scores(tuple.map(|score| score.parse().unwrap()));
        assert_eq!(ScorePair::parse(&reply), expected, "{reply:?}");
        read += usize::from(expected.is_some());
    }
    assert!(read > 100, "{read}");
}

#[derive(Deserialize)]
struct Printed {
    tuples: Vec<(Option<String>, f64, f64)>,
    printed: BTreeMap<String, [f64; 3]>,
}

fn review(id: usize, category: Option<String>, scores: [f64; 2]) -> Review {
    let scores = expected_scores(scores);
    Review { question_id: id.to_string(), category, content: String::new(), scores }
}

/// Python's `round(value * 10, 1)`.
fn tenfold(value: f64) -> f64 {
    format!("{:.1}", value * 10.0).parse().unwrap()
}

#[test]
fn summaries_are_those_of_the_published_program() {
    let files: Vec<Printed> = json("summaries.json");
    assert!(files.len() > 40);
    for Printed { tuples, printed } in files {
        let reviews: Vec<Review> = (0..)
            .zip(tuples)
            .map(|(id, (category, one, other))| review(id, category, [one, other]))
            .collect();
        let found = summarize(&reviews);
        let found: BTreeMap<String, [f64; 3]> = found
            .into_iter()
            .map(|(name, summary)| {
                let means = [summary.reference, summary.candidate].map(tenfold);
                (name, [summary.relative.unwrap(), means[0], means[1]])
            })
            .collect();
        assert_eq!(found, printed);
    }
}

#[test]
fn given_judgments_are_scored_with_intervals() {
    let reviews = read_reviews(folder().join("reviews.jsonl")).unwrap();
    for review in &reviews {
        assert_eq!(review.scores, ScorePair::parse(&review.content), "{review:?}");
    }
    let unparsed = reviews.iter().filter(|review| review.scores.is_none()).count();
    assert!((1..20).contains(&unparsed), "{unparsed}");
    let answers = answers();
    let score = bench().score(&reviews[..70], Some(&answers)).unwrap();
    assert_eq!((score.unjudged, score.missing), (2, Some(0)));
    assert_eq!(bench().score(&[], None).unwrap().missing, None);

    let score = bench().score(&reviews, None).unwrap();
    assert_eq!((score.unparsed, score.unjudged, score.missing), (unparsed, 0, None));
    let printed = &json::<Vec<Printed>>("summaries.json")[0].printed;
    assert_eq!(score.categories.len(), 3);
    let all = ("all".to_owned(), score.all);
    for (name, score) in score.categories.clone().into_iter().chain([all]) {
        let [relative, ..] = printed[&name];
        assert_eq!(score.relative.value, Some(relative), "{name}");
        let (low, high) = (score.relative.low.unwrap(), score.relative.high.unwrap());
        assert!(low < relative && relative < high, "{name}: {low} {relative} {high}");
    }
}

#[test]
fn a_report_shows_the_worst_answers_first() {
    let reviews = read_reviews(folder().join("reviews.jsonl")).unwrap();
    let answers = answers();
    let score = bench().score(&reviews, Some(&answers)).unwrap();
    let Findings { metrics, tables, samples, .. } = score.findings();
    assert_eq!(metrics.len(), 4);
    assert_eq!(metrics[0].estimate, score.all.relative);
    assert!(
        tables
            .iter()
            .all(|table| { table.rows.iter().all(|row| row.cells.len() == table.columns.len()) })
    );
    assert_eq!(samples.len(), 50);
    assert!(samples.is_sorted_by(|one, other| one.score <= other.score));
    let worst = &samples[0];
    assert_eq!(worst.answer, answers[&worst.id]);
    let question = bench().questions().iter().find(|q| q.id == worst.id).cloned().unwrap();
    assert_eq!(worst.expected, question.reference);
    let picture = Path::new("pictures").join(question.image);
    assert_eq!(worst.image, Some(SampleImage::File(picture)));
}

#[test]
fn written_judgments_are_those_that_were_read() {
    let reviews = read_reviews(folder().join("reviews.jsonl")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.jsonl");
    write_reviews(&path, &reviews).unwrap();
    assert_eq!(read_reviews(&path).unwrap(), reviews);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(r#"{"id": 1, "question_id": 0, "category": "conv", "#), "{text}");
}

#[test]
fn a_judgment_belongs_to_one_question() {
    let judged = |id| review(id, None, [8.0, 7.0]);
    let error = bench().score(&[judged(3), judged(3)], None).unwrap_err();
    assert!(matches!(error, Error::JudgedTwice { id } if id == "3"));
    let error = bench().score(&[judged(900)], None).unwrap_err();
    assert!(matches!(error, Error::UnknownQuestion { id, .. } if id == "900"));
}

#[test]
fn the_model_is_asked_the_plain_question() {
    let pictures = tempfile::tempdir().unwrap();
    let files = LlavaBenchFiles::in_folder(folder());
    let bench = LlavaBench::open(&files, pictures.path()).unwrap();
    let image = &bench.questions()[0].image;
    let coco = pictures.path().join(format!("COCO_val2014_{image}"));
    fs::write(&coco, b"").unwrap();
    let queries = bench.queries();
    assert_eq!(queries.len(), 72);
    assert_eq!(queries[0].prompt, bench.questions()[0].text);
    assert_eq!((&queries[0].id, &queries[0].mode), (&"0".to_owned(), &AnswerMode::Generate));
    assert_eq!(queries[0].image, QueryImage::File(coco));
    let plain = pictures.path().join(&bench.questions()[3].image);
    assert_eq!(queries[3].image, QueryImage::File(plain));
}

fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// The error after a change of one line of a file.
fn broken(file: &str, line: usize, change: impl Fn(&mut Value)) -> String {
    let copy = copy();
    let path = copy.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut value = serde_json::from_str(&lines[line]).unwrap();
    change(&mut value);
    lines[line] = value.to_string();
    fs::write(&path, lines.join("\n")).unwrap();
    let files = LlavaBenchFiles::in_folder(copy.path());
    let bench = LlavaBench::open(&files, "pictures").map(drop);
    let rest = read_reviews(copy.path().join("reviews.jsonl")).map(drop);
    let error = bench.and(rest).expect_err(file).to_string();
    assert!(error.contains(file) && error.contains(&format!("row {line}")), "{error}");
    error
}

#[test]
fn an_error_names_file_row_and_key() {
    const QUESTIONS: &str = "qa90_questions.jsonl";
    const CONTEXTS: &str = "caps_boxes_coco2014_val_80.jsonl";
    type Change = fn(&mut Value);
    let cases: [(&str, Change, &str); 11] = [
        (QUESTIONS, |row| row["category"] = "other".into(), "category is \"other\""),
        (QUESTIONS, |row| row["image"] = "none.jpg".into(), "image is \"none.jpg\""),
        (QUESTIONS, |row| row["question_id"] = 7000.into(), "question_id is 7000"),
        (QUESTIONS, |row| row["question_id"] = 0.into(), "question_id is 0"),
        (QUESTIONS, |row| row["text"] = Value::Null, "text is null"),
        (CONTEXTS, |row| row["captions"] = 5.into(), "captions is 5"),
        (CONTEXTS, |row| row["instances"] = Value::Null, "instances is null"),
        (CONTEXTS, |row| row["instances"][0]["bbox"][1] = "x".into(), "instances is {"),
        (CONTEXTS, |row| row["instances"][0]["category"] = 1.into(), "instances is {"),
        ("qa90_gpt4_answer.jsonl", |row| row["question_id"] = 0.into(), "question_id is 0"),
        ("reviews.jsonl", |row| row["tuple"] = 8.into(), "tuple is 8"),
    ];
    for (file, change, expected) in cases {
        let error = broken(file, 2, change);
        assert!(error.contains(expected), "{file}: {error}");
    }
}

#[test]
fn rules_have_a_role_and_a_prompt() {
    for (rules, expected) in [
        (r#"{"conv": 5}"#, "rule is 5"),
        (r#"{"conv": {"role": "Assistant"}}"#, "prompt is missing"),
        ("[]", "rule.json is not valid"),
    ] {
        let copy = copy();
        fs::write(copy.path().join("rule.json"), rules).unwrap();
        let files = LlavaBenchFiles::in_folder(copy.path());
        let error = LlavaBench::open(&files, "pictures").unwrap_err().to_string();
        assert!(error.contains("rule.json") && error.contains(expected), "{error}");
    }
}

#[test]
fn as_a_suite_it_needs_a_reviewer() {
    let eval = LlavaEval::new(bench());
    assert_eq!(eval.queries(), bench().queries());
    assert!(matches!(eval.evaluate(&answers()), Err(Error::NoReviewer)));
    let eval = eval.with_reviewer(ReviewFile(folder().join("reviews.jsonl")));
    let reviews = read_reviews(folder().join("reviews.jsonl")).unwrap();
    let expected = bench().score(&reviews, Some(&answers())).unwrap().findings();
    assert_eq!(eval.evaluate(&answers()).unwrap(), expected);
}
