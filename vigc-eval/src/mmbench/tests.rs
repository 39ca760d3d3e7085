use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{
    Ability, Choice, Entry, Form, Mmbench, Submission, Tsv, Verdict, infer, with_rotations,
};
use crate::answers::{AnswerMode, QueryImage};
use crate::error::Result;
use crate::suite::Suite;

const HEADER: &str = "index\tquestion\tA\tB\tanswer\tcategory\timage\n";

fn image(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 60])
}

fn open(text: &str) -> Result<Tsv> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.tsv");
    std::fs::write(&path, text).unwrap();
    Tsv::open(path)
}

fn rows(rows: &[&str]) -> Result<Tsv> {
    open(&[HEADER, &rows.join("\n"), "\n"].concat())
}

fn entry(index: u64, options: &[&str], answer: char) -> Entry {
    Entry {
        index,
        group: index,
        question: "What is it?".to_owned(),
        hint: None,
        options: ('A'..).zip(options.iter().map(|&text| text.to_owned())).collect(),
        answer: Some(answer),
        category: None,
        l2_category: None,
        split: None,
        source: None,
        comment: None,
        image: Arc::from([1]),
    }
}

fn suite(entries: Vec<Entry>) -> Mmbench {
    Mmbench::new(&Tsv { path: PathBuf::from("t.tsv"), entries, without_image: 0 }).unwrap()
}

fn answers<const N: usize>(answers: [(&str, &str); N]) -> HashMap<String, String> {
    answers.map(|(id, text)| (id.to_owned(), text.to_owned())).into()
}

#[test]
fn rows_share_images() {
    let (one, two) = (image(1), image(2));
    let table = rows(&[
        &format!("1\tq\ty\tn\tA\tocr\t{one}"),
        "1000001\tq\tn\ty\tB\tocr\t2",
        &format!("2\tq\ty\tn\tA\tocr\t{two}"),
        "3\tq\ty\tn\tA\tocr\t1000001",
        &format!("4\tq\ty\tn\tA\tocr\t{one}"),
    ]);
    let table = table.unwrap();
    let image = |at: usize| &table.entries[at].image;
    assert_eq!(**image(1), [2; 60]);
    assert!(Arc::ptr_eq(image(1), image(2)) && Arc::ptr_eq(image(1), image(3)));
    assert!(Arc::ptr_eq(image(0), image(4)));
}

#[test]
fn errors_name_line_and_cell() {
    let whole = format!("1\t\"q\n?\"\ty\tn\tA\tocr\t{}", image(1));
    let cases = [
        ("5\tq\ty\tn\tA\tocr", "line 4: 6 cells, expected 7"),
        ("x\tq\ty\tn\tA\tocr\t1", "line 4: index is \"x\", expected a whole number below 10^15"),
        ("1000000000000000\tq\ty\tn\tA\tocr\t1", "line 4: index is \"1000000000000000\", expected"),
        ("1\tq\ty\tn\tA\tocr\t1", "line 4: index is \"1\", expected one that no other row has"),
        ("5\tnan\ty\tn\tA\tocr\t1", "line 4: question is \"\", expected something"),
        ("5\tq\ty\tn\ta\tocr\t1", "line 4: answer is \"a\", expected the letter of an option"),
        ("5\tq\ty\tn\tA\tocr\t9", "line 4: image is \"9\", expected an image in base64 or"),
        ("5\tq\ty\tn\tA\tocr\t5", "line 4: image is \"5\", expected an image in base64 or"),
        ("5\t\"q\ty\tn\tA\tocr\t1", "line 4: 2 cells, expected 7"),
        ("5\tq\ty\tn\tA\tocr\t\"iVBOR", "line 4: the file ends within a cell"),
    ];
    for (row, expected) in cases {
        let error = rows(&[&whole, row]).unwrap_err().to_string();
        assert!(error.contains("table.tsv, ") && error.contains(expected), "{row:?}: {error}");
    }
    let broken = format!("5\tq\ty\tn\tA\tocr\t{}?", image(1));
    let error = rows(&[&whole, &broken]).unwrap_err().to_string();
    assert!(error.contains("line 4: image is \"AQEB"), "{error}");
    let error = open("index\tquestion\tA\timage\n").unwrap_err().to_string();
    assert!(error.ends_with("table.tsv has no column B"), "{error}");
    let mut bytes = format!("{HEADER}{whole}\n").into_bytes();
    bytes[HEADER.len() + 3] = 0xff;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.tsv");
    std::fs::write(&path, bytes).unwrap();
    let error = Tsv::open(path).unwrap_err().to_string();
    assert!(error.contains("line 2: question is") && error.ends_with("expected UTF-8"), "{error}");
}

#[test]
fn a_long_cell_is_read() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let row = format!("1\tq\ty\tn\tA\tocr\t\"{}\"", BASE64_STANDARD.encode(&bytes));
    assert_eq!(*rows(&[&row]).unwrap().entries[0].image, bytes);
}

#[test]
fn options_move_towards_a() {
    let all = with_rotations(&[entry(7, &["x", "y", "z"], 'B'), entry(8, &["A and B", "C"], 'A')]);
    let found: Vec<(u64, u64, String, Option<char>)> = all
        .iter()
        .map(|e| (e.index, e.group, e.options.iter().map(|(_, t)| t.as_str()).collect(), e.answer))
        .collect();
    let expected = [
        (7, 7, "xyz", 'B'),
        (1_000_007, 7, "yzx", 'A'),
        (2_000_007, 7, "zxy", 'C'),
        (8, 8, "A and BC", 'A'),
    ];
    assert_eq!(found, expected.map(|(i, g, t, a)| (i, g, t.to_owned(), Some(a))));
    let large = with_rotations(&[entry(1_000_000, &["x", "y"], 'A')]);
    assert_eq!(large[1].index, 11_000_000);
    assert_eq!(with_rotations(&[entry(u64::MAX, &["x", "y"], 'A')]).len(), 2);
    let secret = Entry { answer: None, ..entry(1, &["x", "y"], 'A') };
    assert_eq!(with_rotations(&[secret]).len(), 2);
}

#[test]
fn a_question_counts_if_all_orders_are_right() {
    let suite = suite(vec![entry(1, &["cat", "dog"], 'A'), entry(2, &["cup", "jug"], 'B')]);
    let given = answers([("1", "A"), ("1000001", "B"), ("2", "B"), ("1000002", "who knows")]);
    let score = suite.score(&given).unwrap();
    let right: Vec<bool> = score.questions.iter().map(|question| question.is_right()).collect();
    assert_eq!(right, [true, false]);
    assert_eq!(score.unresolved.len(), 1);
    assert!(score.unresolved[0].id == "1000002" && score.unresolved[0].decides);
    assert_eq!(score.samples[0].id, "1000002");
    assert_eq!((score.samples[0].score, score.samples[1].score), (0.5, 1.0));
    assert_eq!(score.samples[0].note, "cannot be read; right in 1 of 2 orders");
    assert_eq!(score.samples[0].expected, "A. jug");

    let read = suite.score_with(&given, &answers([("1000002", "(A)")])).unwrap();
    assert!(read.questions[1].is_right() && read.unresolved.is_empty());

    let fewer = answers([("1", "A"), ("2", "A"), ("1000002", "who knows")]);
    let score = suite.score(&fewer).unwrap();
    assert_eq!(score.count(Verdict::Missing), 1);
    assert!(!score.questions[0].is_right() && !score.unresolved[0].decides);
    let error = suite.score(&answers([("3", "A")])).unwrap_err().to_string();
    assert_eq!(
        error,
        "1 of the answers belong to no question, the first to \"3\"; expected the index of a row of the table"
    );
}

#[test]
fn questions_without_a_key_are_left_out() {
    let secret = Entry { answer: None, ..entry(2, &["cup", "jug"], 'B') };
    let suite = suite(vec![entry(1, &["cat", "dog"], 'A'), secret]);
    let score = suite.score(&answers([("1", "A"), ("1000001", "B"), ("2", "A")])).unwrap();
    assert_eq!((score.questions.len(), score.without_key), (1, 1));
    let metrics = score.findings().metrics;
    assert_eq!(metrics[0].estimate.value, Some(1.0));
}

#[test]
fn an_order_without_its_first_is_an_error() {
    let lone = Entry { group: 1, ..entry(1_000_001, &["x", "y"], 'A') };
    let tsv = Tsv { path: PathBuf::from("t.tsv"), entries: vec![lone], without_image: 0 };
    let error = Mmbench::new(&tsv).unwrap_err().to_string();
    assert!(error.starts_with("t.tsv: row 1000001 is row 1 with its options moved"), "{error}");
}

#[test]
fn answers_can_be_chosen() {
    let written = suite(vec![entry(1, &["red", "dark red"], 'B')]);
    let candidates = |form| match written.clone().with_form(form).queries().swap_remove(1) {
        query if matches!(query.image, QueryImage::Bytes(_)) => (query.id, query.mode),
        query => panic!("{query:?}"),
    };
    let id = "1000001".to_owned();
    let choose = |options: [&str; 2]| AnswerMode::Choose(options.map(str::to_owned).into());
    assert_eq!(candidates(Form::Write), (id.clone(), AnswerMode::Generate));
    assert_eq!(candidates(Form::Letters), (id.clone(), choose(["A", "B"])));
    assert_eq!(candidates(Form::Texts), (id, choose(["dark red", "red"])));
    let given = answers([("1", "dark red"), ("1000001", "dark red")]);
    let is_right = |suite: &Mmbench| suite.score(&given).unwrap().questions[0].is_right();
    assert!(is_right(&written.clone().with_form(Form::Texts)));
    assert!(!is_right(&written));
    assert_eq!(infer("dark red", &written.entries()[0].options), None::<Choice>);
}

#[test]
fn abilities_have_twenty_parts() {
    let mut parts: Vec<&str> = Ability::ALL.iter().flat_map(|a| a.parts()).copied().collect();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len(), 20);
    assert_eq!(Ability::of(None, Some("ocr")).map(Ability::name), Some("FP-S"));
    let other = Ability::of(Some("relation_reasoning"), Some("ocr"));
    assert_eq!(other.map(Ability::name), Some("RR"));
    assert_eq!(Ability::of(Some("cultural_relic"), Some("ocr")), None);
}

#[test]
fn a_submission_is_whole_or_not_at_all() {
    let entries = [entry(1, &["cat", "dog"], 'A'), entry(2, &["cup", "jug"], 'B')];
    let error = Submission::new(&entries, &answers([("1", "A")])).unwrap_err().to_string();
    assert_eq!(
        error,
        "1 of 2 questions have no answer, the first is \"2\"; a submission needs all answers"
    );
    let long = "x".repeat(32_768);
    let submission = Submission::new(&entries, &answers([("1", "A"), ("2", &long)])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let error = submission.write_xlsx(&path).unwrap_err().to_string();
    assert!(error.starts_with("row 2: prediction has 32768 characters"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
