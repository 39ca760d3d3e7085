//! Reports of made-up measurements.

use std::collections::BTreeMap;

use super::{Outcome, Report};

fn outcome(student: &str, condition: &str, seed: u64, metrics: &[(&str, f64)]) -> Outcome {
    let metrics = metrics.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
    Outcome { student: student.to_owned(), condition: condition.to_owned(), seed, metrics }
}

#[test]
fn ours_stand_beside_the_papers_and_differences_are_of_the_same_seed() {
    let mut outcomes = Vec::new();
    for (seed, level) in [(1, 40.0), (2, 50.0), (3, 60.0)] {
        let scores = |all: f64| [("test/all", all), ("unseen/all", all / 2.0), ("test/okvqa", all)];
        outcomes.push(outcome("llava", "none", seed, &scores(level)));
        outcomes.push(outcome("llava", "detail-vic", seed, &scores(level + 4.0)));
        outcomes.push(outcome(
            "vigc",
            "steps-0",
            seed,
            &[("test/false", 20.0), ("test/detail/false", 30.0)],
        ));
        outcomes.push(outcome(
            "vigc",
            "steps-end",
            seed,
            &[("test/false", 15.0), ("test/detail/false", 21.0)],
        ));
    }
    let report = Report::new(&outcomes);
    let text = report.to_text();
    // The seeds differ much, the paired difference does not.
    let row = text.lines().find(|line| line.starts_with("+ detail, VIC")).expect(&text);
    assert!(
        row.contains("85.8") && row.contains("54.0±24.8") && row.ends_with("+4.0±0.0"),
        "{row}"
    );
    let fewer = Report::new(
        &[&outcomes[..], &[outcome("llava", "conv-vic", 1, &[("test/all", 41.0)])]].concat(),
    );
    let text_of_fewer = fewer.to_text();
    let row =
        text_of_fewer.lines().find(|line| line.starts_with("+ conversation, VIC")).expect("a row");
    assert!(row.ends_with("41.0*        +1.0*"), "{row}");
    assert!(text.contains("Means over 3 seeds") && text.contains("-9.0±0.0"), "{text}");
    assert!(!text.contains("replaced detail"), "what was not measured has no row: {text}");
    let markdown = report.to_markdown();
    assert!(markdown.contains("| LLaVA-13B | 84.8 | – |"), "{markdown}");
    let plots: BTreeMap<_, _> = report.plots().collect();
    assert_eq!(
        plots.keys().copied().collect::<Vec<_>>(),
        ["correction.svg", "scores.svg", "steps.svg"]
    );
    for svg in plots.values() {
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }
}

#[test]
fn nothing_measured_is_nothing_shown() {
    let report = Report::new(&[]);
    assert!(report.to_text().is_empty() && report.to_markdown().is_empty());
    assert_eq!(report.plots().count(), 0);
}
