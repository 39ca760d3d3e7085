//! The suite runs, and its table and its file have every column.
#![allow(clippy::unwrap_used, reason = "helpers of tests, which the lint does not recognize")]

use std::fs;

use clap::Parser;
use vigc_benches::suite::{Report, Settings, run};

fn settings(arguments: &[&str]) -> Settings {
    Settings::parse_from([&["suite"], arguments].concat())
}

fn measure(settings: &Settings) -> (Report, String) {
    let mut log = String::new();
    let report = run(settings, &mut |text| log.push_str(text)).unwrap();
    (report, log)
}

/// Cells of the table's rows, the header first.
fn cells(table: &str) -> Vec<Vec<String>> {
    let lines = table.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    lines.map(|line| cells(line.trim_matches('|'))).collect()
}

/// Without `--bench`, shapes are tiny.
#[test]
fn every_group_is_measured_with_all_columns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("first.json");
    let (report, log) = measure(&settings(&["--json", file.to_str().unwrap()]));
    assert_eq!(report.failures(), 0, "{report}");
    assert!(report.rows.iter().all(|row| row.time.is_some()), "{report}");
    assert!(log.contains("flex decoding 1/15, at most "), "{log}");

    let table = cells(&report.to_string());
    let header = [
        "group",
        "what",
        "device",
        "time (ms)",
        "spread (%)",
        "rate (1/s)",
        "GB/s",
        "GFLOP/s",
        "roof (GB/s or GFLOP/s)",
        "of roof (%)",
    ];
    assert_eq!(table[0], header);
    assert_eq!(table.len(), report.rows.len() + 1);
    for group in ["kernels", "encoders", "decoding", "pipeline"] {
        assert!(table.iter().any(|row| row[0] == group), "{group}\n{report}");
    }
    let token = table.iter().find(|row| row[1].contains("q4: a token, greedy")).unwrap();
    assert!(token.iter().all(|cell| cell != "–"), "{token:?}");
    let sample = table.iter().find(|row| row[1].contains("VIG and VIC")).unwrap();
    assert!(sample[5].ends_with(" samples") && sample[8] == "–", "{sample:?}");

    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), report.rows.len());
    let mut rows = json["rows"].as_array().unwrap().iter();
    let token = rows.rfind(|row| row["group"] == "decoding").unwrap();
    assert_eq!(token["device"], "flex");
    for figure in [
        &token["time"]["median"],
        &token["time"]["third_quartile"],
        &token["rate"]["per_second"],
        &token["bytes_per_second"],
        &token["operations_per_second"],
        &token["bound"]["per_second"],
        &token["bound"]["share"],
        &token["roofs"]["read"],
    ] {
        assert!(figure.as_f64().unwrap() > 0.0, "{token}");
    }
}

#[test]
fn a_run_is_compared_with_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("first.json");
    let file = file.to_str().unwrap();
    let arguments = ["--group", "encoders", "--device", "flex"];
    measure(&settings(&[&arguments[..], &["--json", file]].concat()));
    let (report, _) = measure(&settings(&[&arguments[..], &["--compare", file]].concat()));
    assert!(report.rows.iter().all(|row| row.group == "encoders"), "{report}");
    let table = cells(&report.to_string());
    assert_eq!(table[0].last().unwrap(), "speedup (times)");
    for row in &table[1..] {
        assert!(row.last().unwrap().parse::<f64>().unwrap() > 0.0, "{row:?}");
    }
}

#[test]
fn without_time_every_figure_says_so() {
    let (report, log) = measure(&settings(&["--seconds", "0", "--group", "kernels"]));
    assert!(!report.rows.is_empty() && report.failures() == 0);
    assert!(cells(&report.to_string())[1..].iter().all(|row| row[3] == "no time left"), "{report}");
    assert!(log.contains("no time left"), "{log}");
}

#[test]
fn wrong_settings_are_refused() {
    let error = run(&settings(&["--device", "abacus"]), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("abacus") && error.contains("flex"), "{error}");
    let error = run(&settings(&["--compare", "none.json"]), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("none.json"), "{error}");
    let error = Settings::try_parse_from(["suite", "--group", "training"]).unwrap_err().to_string();
    assert!(error.contains("training") && error.contains("decoding"), "{error}");
    assert!(settings(&["--full", "--bench"]).full);
}
