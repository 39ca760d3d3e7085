//! Each gate drops what it should, and nothing else.

use vigc_pipeline::curation::gates::{GateSettings, Gates, ShingleCounts};
use vigc_pipeline::curation::{Pictures, Row};
use vigc_pipeline::prompt::Task::{ComplexReasoning, Conversation, DetailDescription};
use vigc_pipeline::vigc::StopReason;

use super::made::{corrected, png, row, short, write_pictures};

/// A row, and the gate and reason that it is dropped for after the rows before it.
struct Case(Row, Option<(&'static str, &'static str)>);

fn kept(row: impl Into<Row>) -> Case {
    Case(row.into(), None)
}

fn dropped(row: impl Into<Row>, gate: &'static str, reason: &'static str) -> Case {
    Case(row.into(), Some((gate, reason)))
}

/// Asks the gates about rows, in order. All pictures but `missing` are there; `text` is none.
fn check(settings: &GateSettings, cases: &[Case]) {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path(), ["a", "b", "c", "d"]);
    std::fs::write(folder.path().join("text.png"), "not a picture").unwrap();
    // Cut off behind its header, a picture is not decoded here, and passes.
    std::fs::write(folder.path().join("cut.png"), &png("cut")[..60]).unwrap();
    let mut counts = ShingleCounts::default();
    cases.iter().for_each(|Case(row, _)| counts.add(row));
    let mut gates = Gates::new(settings, &Pictures::below(folder.path()), counts);
    for Case(row, expected) in cases {
        let found = gates.sift(row).map(|(gate, reason)| (gate, reason.name));
        assert_eq!(found, *expected, "{row:?}");
    }
}

/// Only this gate, with its defaults.
fn only(gate: &str) -> GateSettings {
    let mut settings = GateSettings::default();
    for other in GateSettings::NAMES.into_iter().filter(|&other| other != gate) {
        assert!(settings.switch_off(other));
    }
    settings
}

const QUESTION: &str = "What is on the table?";
const ANSWER: &str = "There is a cup on the table.";

#[test]
fn pictures_have_to_be_there() {
    let about = |image| row(image, Conversation, QUESTION, ANSWER);
    check(
        &only("picture"),
        &[
            kept(about("a")),
            kept(about("cut")),
            dropped(about("missing"), "picture", "missing"),
            dropped(about("missing"), "picture", "missing"),
            dropped(about("text"), "picture", "unreadable"),
        ],
    );
}

#[test]
fn questions_and_answers_have_to_be_valid() {
    let asks = |question| Row::from(row("a", Conversation, question, ANSWER));
    let says = |answer| Row::from(row("a", Conversation, QUESTION, answer));
    let invalid = |row: Row, reason| dropped(row, "validity", reason);
    let instruction = Conversation.instruction();
    let twice = "The cup is red. It stands there. The cup is red.";
    check(
        &only("validity"),
        &[
            kept(asks(QUESTION)),
            kept(asks("Describe the picture in detail.")),
            kept(asks("Please give me a detailed description of the picture")),
            invalid(asks("There is a cup on the table."), "no_question"),
            invalid(asks("What is on the"), "no_question"),
            invalid(asks(""), "no_question"),
            kept(says("Yes, 2.")),
            kept(says("He asks \"Why?\"")),
            kept(says("It is very, very, very old.")),
            kept(says("The answer: a cup.")),
            invalid(says(""), "empty_answer"),
            invalid(says(" ... "), "empty_answer"),
            invalid(says("A cup. Question: What else?"), "prompt"),
            invalid(says("Answer: A cup."), "prompt"),
            invalid(asks("<image> What is it?"), "prompt"),
            invalid(says("A cup.</s>"), "prompt"),
            invalid(says("A c\u{FFFD}p."), "prompt"),
            invalid(says(instruction), "prompt"),
            invalid(says("It is a very, very, very, very old cup."), "loop"),
            invalid(says("A cup and a cup and a cup and a cup and a cup."), "loop"),
            invalid(says(twice), "repeated_sentence"),
            invalid(says("There is a cup. There is a"), "unfinished"),
            invalid(says("A cup"), "unfinished"),
            // Short answers are no sentences.
            kept(short("a", QUESTION, &[("a cup", 1.0)])),
            invalid(short("a", QUESTION, &[("?", 1.0)]).into(), "empty_answer"),
            invalid(short("a", QUESTION, &[]).into(), "empty_answer"),
        ],
    );
}

#[test]
fn texts_have_to_have_as_many_words_as_their_task_allows() {
    let settings = toml::from_str::<GateSettings>(
        "length.detail = { question = [2, 4], answer = [3, 5] }\nlength.short.answer = [1, 2]",
    );
    let settings = GateSettings { length: settings.unwrap().length, ..only("length") };
    let detail = |question, answer| row("a", DetailDescription, question, answer);
    let long = |row: Row| dropped(row, "length", "long_answer");
    check(
        &settings,
        &[
            kept(detail("Describe it.", "A cup stands.")),
            kept(detail("Describe it in detail.", "A cup stands there, red.")),
            dropped(detail("Describe!", "A cup stands."), "length", "short_question"),
            dropped(
                detail("Describe it in some detail.", "A cup stands."),
                "length",
                "long_question",
            ),
            dropped(detail("Describe it.", "A cup."), "length", "short_answer"),
            long(detail("Describe it.", "A cup stands there, and red.").into()),
            // Other tasks have other bounds.
            kept(row("a", Conversation, QUESTION, "Yes.")),
            kept(short("a", QUESTION, &[("a cup", 0.5), ("a cup on the table", 0.5)])),
            long(short("a", QUESTION, &[("a red cup", 1.0)]).into()),
        ],
    );
}

#[test]
fn corrections_have_to_agree_with_their_drafts() {
    let from = |draft, answer| corrected("a", Conversation, QUESTION, [draft, answer]);
    let mut alone = from("A cup.", "Nobody knows it.");
    alone.stop = StopReason::NotCorrected;
    let lenient = [
        kept(from("A cup. A dog.", "A cup. A dog.")),
        kept(from("There is a red cup. A dog sleeps.", "There is a blue cup.")),
        kept(from("A cup. A dog sleeps.", "A cup. Nobody knows it.")),
        dropped(from("A cup. A dog.", "Nobody knows it."), "agreement", "contradicted"),
        kept(alone.clone()),
        kept(short("a", QUESTION, &[("a cup", 1.0)])),
    ];
    check(&only("agreement"), &lenient);
    let mut strict = only("agreement");
    strict.agreement.least_kept = 0.5;
    strict.agreement.drop_contradicted = false;
    let few = |row| dropped(row, "agreement", "few_kept");
    check(
        &strict,
        &[
            kept(from("A cup. A dog sleeps.", "A cup. Nobody knows it.")),
            few(from("There is a red cup. A dog sleeps.", "There is a blue cup.")),
            few(from("A cup. A dog.", "Nobody knows it.")),
            kept(alone),
        ],
    );
}

#[test]
fn answers_have_to_be_likely() {
    let with = |log_prob: Option<f32>| {
        let mut row = row("a", Conversation, QUESTION, ANSWER);
        row.steps[0].log_prob = log_prob;
        row.steps[0].tokens = 4;
        row
    };
    let mut settings = only("log_prob");
    settings.log_prob.least = -0.5;
    let mut half = with(Some(-1.0));
    half.steps.push(half.steps[0].clone());
    half.steps[1].log_prob = None;
    let mut uncorrected = with(Some(-9.0));
    uncorrected.steps.clear();
    check(
        &settings,
        &[
            kept(with(Some(-0.1))),
            kept(with(Some(-2.0))),
            dropped(with(Some(-2.1)), "log_prob", "unlikely"),
            kept(with(None)),
            kept(half),
            kept(uncorrected),
            kept(short("a", QUESTION, &[("a cup", 0.01)])),
        ],
    );
}

#[test]
fn nothing_is_said_twice() {
    let mut settings = only("exact_duplicates");
    settings.exact_duplicates.most_equal = 2;
    let asks = |image, question, answer| row(image, Conversation, question, answer);
    let shouted = "WHAT is on the table?!";
    let another = |row, reason| dropped(row, "exact_duplicates", reason);
    check(
        &settings,
        &[
            kept(asks("a", QUESTION, ANSWER)),
            another(asks("a", QUESTION, ANSWER), "same_row"),
            another(asks("a", shouted, "There is a cup, on the table!"), "same_row"),
            another(asks("a", shouted, "A cup."), "same_question"),
            // The task does not matter.
            another(row("a", ComplexReasoning, QUESTION, ANSWER), "same_row"),
            kept(asks("b", shouted, ANSWER)),
            another(asks("c", QUESTION, ANSWER), "too_often"),
            // What was dropped does not count: this picture was not asked yet.
            kept(asks("c", QUESTION, "A cup.")),
            kept(asks("a", "What is it?", ANSWER)),
        ],
    );
    settings.exact_duplicates.one_answer = false;
    check(
        &settings,
        &[
            kept(asks("a", QUESTION, ANSWER)),
            kept(asks("a", shouted, "A cup.")),
            another(asks("a", shouted, "A cup."), "same_row"),
        ],
    );
}

#[test]
fn nothing_is_said_twice_in_nearly_the_same_words() {
    let mut settings = only("near_duplicates");
    settings.near_duplicates.jaccard = 0.6;
    settings.near_duplicates.most_alike = 2;
    // 21 words, 19 shingles; the last word is in one of them.
    let says = |image, color: &str| {
        let answer = format!(
            "Under the old oak tree a small dog lies beside two cats and the sun is {color}."
        );
        row(image, Conversation, QUESTION, &answer)
    };
    let like = |row, reason| dropped(row, "near_duplicates", reason);
    check(
        &settings,
        &[
            kept(says("a", "red")),
            like(says("a", "yellow"), "like_another"),
            kept(says("b", "yellow")),
            like(says("c", "white"), "like_many"),
            kept(row("a", Conversation, QUESTION, ANSWER)),
            kept(row(
                "c",
                Conversation,
                "Is there anything?",
                "Under the old oak tree a small dog lies.",
            )),
        ],
    );
}

#[test]
fn a_dropped_row_takes_no_other_with_it() {
    let mut unlikely = row("a", Conversation, QUESTION, ANSWER);
    unlikely.steps[0].log_prob = Some(-100.0);
    check(
        &GateSettings::default(),
        &[
            dropped(unlikely, "log_prob", "unlikely"),
            kept(row("a", Conversation, QUESTION, ANSWER)),
            dropped(row("a", Conversation, QUESTION, ANSWER), "exact_duplicates", "same_row"),
        ],
    );
}
