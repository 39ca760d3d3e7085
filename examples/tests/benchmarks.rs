//! `evaluate` on benchmarks' file formats: asking, continuing, and scoring given answers.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A built example; `cargo test` builds them beside the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let path = folder.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is not built", path.display());
    Command::new(path)
}

/// What a command printed, if it succeeded.
fn printed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the example starts");
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

fn evaluate(folder: &Path, suite: &str, files: &[(&str, &str)]) -> Command {
    let mut command = example("evaluate");
    command.current_dir(folder).args(["--suite", suite, "--decode", "greedy", "--batch", "8"]);
    for (name, file) in files {
        command.args([format!("--{name}"), format!("scenes/train/{file}")]);
    }
    command
}

fn metric(report: &Path, name: &str) -> f64 {
    let report = fs::read_to_string(report).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let metrics = report["metrics"].as_array().expect("metrics");
    let found = metrics.iter().find(|metric| metric["name"] == name);
    found.and_then(|metric| metric["value"].as_f64()).expect(name)
}

#[test]
fn suites_are_asked_once_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    printed(example("scenes").current_dir(folder).args(["--out", "scenes", "--count", "12"]));
    let images = ("images", "images");
    for (suite, files, options, number) in [
        ("okvqa", [("questions", "okvqa.json"), images], vec![], "accuracy"),
        ("aokvqa-choice", [("questions", "aokvqa.json"), images], vec![], "accuracy"),
        (
            "pope",
            [("annotations", "instances_train.json"), images],
            vec!["--pictures", "4"],
            "accuracy, random",
        ),
    ] {
        let run = |report: &str| {
            let mut command = evaluate(folder, suite, &files);
            printed(command.args(["--report", report]).args(&options))
        };
        let text = run("first");
        let answers = fs::read_to_string(folder.join(format!("{suite}.answers.jsonl"))).unwrap();
        assert!(text.contains("vigc-mini") && !answers.is_empty(), "{suite}: {text}");
        // The model was trained on scenes, so it does much better than guessing.
        let value = metric(&folder.join("first/report.json"), number);
        assert!(value > 0.6, "{suite}: {value}");
        run("second");
        let again = fs::read_to_string(folder.join(format!("{suite}.answers.jsonl"))).unwrap();
        assert_eq!(answers, again, "{suite}: no question is asked twice");
        let page = |run: &str| fs::read(folder.join(run).join("report.html")).unwrap();
        assert_eq!(page("first"), page("second"), "{suite}");
    }
}

#[test]
fn given_answers_are_scored_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    printed(example("scenes").current_dir(folder).args(["--out", "scenes", "--count", "10"]));
    let questions = fs::read_to_string(folder.join("scenes/train/okvqa.json")).unwrap();
    let questions: Vec<Value> = serde_json::from_str(&questions).unwrap();
    // The first half is right, the other half says nothing.
    let half = questions.len() / 2;
    let answer = |row: &Value| {
        let answer =
            serde_json::json!({ "question_id": row["question_id"], "text": row["answer"][0] });
        answer.to_string() + "\n"
    };
    let answers: String = questions[..half].iter().map(answer).collect();
    fs::write(folder.join("given.jsonl"), answers).unwrap();
    let files = [("questions", "okvqa.json"), ("images", "images")];
    let mut command = evaluate(folder, "okvqa", &files);
    command.args(["--given", "--answers", "given.jsonl", "--report", "report", "--name", "other"]);
    assert!(printed(&mut command).contains("okvqa · other"));
    let found = metric(&folder.join("report/report.json"), "accuracy");
    assert!((found - half as f64 / questions.len() as f64).abs() < 1e-9, "{found}");
    fs::write(folder.join("given.jsonl"), "{\"id\": \"none of them\", \"text\": \"a\"}\n").unwrap();
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("none of them"), "{error}");
}

#[test]
fn scenes_are_asked_in_two_rounds_and_continued() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |out: &str| {
        let mut command = example("evaluate");
        command.current_dir(folder).args(["--suite", "scenes", "--count", "2", "--batch", "4"]);
        printed(command.args(["--decode", "greedy", "--out", out, "--report", "report"]))
    };
    let text = run("first.json");
    assert!(text.contains("scenes · vigc-mini") && text.contains("VIC / VIG (test)"), "{text}");
    let details = fs::read_to_string(folder.join("first.json")).unwrap();
    let details: Value = serde_json::from_str(&details).unwrap();
    let overall = &details["splits"]["test"]["overall"];
    let name = "false sentences of VIC (test)";
    let reported = metric(&folder.join("report/report.json"), name);
    assert_eq!(overall["vic"]["false_sentences"]["value"], reported);
    assert_eq!((&details["suite"]["count"], &overall["images"]), (&2.into(), &6.into()));

    // An interrupted run asks the rest, corrections of drafts on record included.
    let record = folder.join("scenes.answers.jsonl");
    let whole = fs::read_to_string(&record).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    fs::write(&record, lines[..lines.len() / 2].join("\n") + "\n").unwrap();
    run("second.json");
    let files = ["first.json", "second.json"].map(|name| fs::read(folder.join(name)).unwrap());
    assert_eq!(files[0], files[1]);
}

#[test]
fn options_of_other_suites_are_refused() {
    let mut command = example("evaluate");
    let output = command.args(["--suite", "pope", "--form", "letters"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("no option \"form\""), "{error}");
    let output = example("evaluate").args(["--suite", "chair", "--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in
        ["--suite", "aokvqa-choice", "chair, pope: ask about this many images", "--judge-url"]
    {
        assert!(output.status.success() && help.contains(part), "{part}: {help}");
    }
}
