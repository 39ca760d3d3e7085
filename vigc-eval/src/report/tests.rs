use std::fs;

use serde_json::json;

use super::*;
use crate::interval::{Estimate, wilson};

fn share(hits: usize, total: usize) -> Cell {
    Cell::Estimate { unit: Unit::Share, estimate: wilson(hits, total) }
}

fn row(name: &str, cells: impl Into<Vec<Cell>>) -> TableRow {
    TableRow { name: name.to_owned(), cells: cells.into() }
}

fn table() -> Table {
    Table {
        title: "By kind".to_owned(),
        columns: ["questions", "accuracy", "missed most"].map(str::to_owned).to_vec(),
        rows: vec![
            row("what", [Cell::Count(1200), share(757, 1200), Cell::Text("a cup".to_owned())]),
            row("how many", [Cell::Count(90), share(3, 90), Cell::Text("numbers".to_owned())]),
            row("why", [Cell::Count(0), share(0, 0), Cell::Text(String::new())]),
        ],
    }
}

fn sample(id: &str, image: Option<SampleImage>, score: f64) -> Sample {
    let text = |text: &str| text.to_owned();
    Sample {
        id: text(id),
        image,
        question: text("What is it?"),
        expected: text("a cup"),
        answer: text("a cat"),
        score,
        note: text("one of ten agrees"),
    }
}

fn report() -> Report {
    let score = Estimate { value: Some(0.75), low: Some(0.5), high: Some(1.25) };
    let count = Estimate { value: Some(3.0), low: None, high: None };
    let metric = |name: &str, unit, estimate| Metric { name: name.to_owned(), unit, estimate };
    Report {
        suite: "OKVQA".to_owned(),
        model: "vigc-mini".to_owned(),
        settings: json!({"seed": 7, "decoding": {"beams": 5}}),
        metrics: vec![
            metric("accuracy", Unit::Share, wilson(760, 1290)),
            metric("VIC over VIG", Unit::Score, score),
            metric("unanswered", Unit::Count, count),
        ],
        tables: vec![table()],
        samples: vec![
            sample("2", Some(SampleImage::File("pictures/2.jpg".into())), 0.3),
            sample("1", None, 0.0),
        ],
    }
}

fn page(report: &Report) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    report.write_html(&path).unwrap();
    fs::read_to_string(path).unwrap()
}

/// A picture that cannot be compressed.
fn noise(side: u32) -> SampleImage {
    let mut state = 1_u32;
    let noise = image::RgbImage::from_fn(side, side, |_, _| {
        image::Rgb([0; 3].map(|_: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    noise.write_to(&mut bytes, image::ImageFormat::Bmp).unwrap();
    SampleImage::Encoded(bytes.into_inner().into())
}

#[test]
fn json_is_read_as_it_was_written() {
    let text = include_str!("fixtures/report.json");
    let mut report = report();
    assert_eq!(serde_json::from_str::<Report>(text).unwrap(), report);

    // A picture that is in no file is left out.
    report.samples[1].image = Some(noise(2));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    report.write_json(&path).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), text);
}

#[test]
fn text_is_aligned_by_the_parts_of_numbers() {
    let expected = "\
OKVQA · vigc-mini

accuracy      58.9% [56.2, 61.6]
VIC over VIG  0.750 [0.500, 1.250]
unanswered        3

By kind
          questions  accuracy, %        missed most
────────  ─────────  ─────────────────  ───────────
what          1,200  63.1 [60.3, 65.8]  a cup
how many         90   3.3 [ 1.1,  9.3]  numbers
why               0     –
";
    assert_eq!(report().to_string(), expected);
}

#[test]
fn columns_that_do_not_fit_follow_below() {
    let text = report().to_text(30);
    let lines: Vec<&str> = text.lines().skip_while(|line| *line != "By kind").collect();
    let expected = [
        "By kind",
        "          questions",
        "────────  ─────────",
        "what          1,200",
        "how many         90",
        "why               0",
        "",
        "          accuracy, %",
    ];
    assert_eq!(lines[..8], expected);
    assert!(lines.iter().all(|line| line.chars().count() <= 30), "{text}");
}

#[test]
fn texts_are_never_markup() {
    let evil = || "<evil>evil\"quote' & co".to_owned();
    let sample = Sample {
        id: evil(),
        image: Some(SampleImage::File(evil().into())),
        question: evil(),
        expected: evil(),
        answer: evil(),
        score: 0.0,
        note: evil(),
    };
    let report = Report {
        suite: evil(),
        model: evil(),
        settings: json!({evil(): evil()}),
        metrics: vec![Metric { name: evil(), unit: Unit::Share, estimate: wilson(1, 2) }],
        tables: vec![Table {
            title: evil(),
            columns: vec![evil(), evil()],
            rows: vec![row(&evil(), [share(1, 2), Cell::Text(evil())])],
        }],
        samples: vec![sample],
    };
    let comparison = compare(&[report.clone(), report.clone()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["comparison.html", "index.html"].map(|name| folder.path().join(name));
    comparison.write_html(&paths[0]).unwrap();
    write_index(&paths[1], &evil(), &[(&evil(), &report)]).unwrap();
    let svg = Plot::of(&report.tables[0])[0].to_svg(720);
    let others = paths.map(|path| fs::read_to_string(path).unwrap());
    for page in [page(&report)].iter().chain(&others).chain([&svg]) {
        assert!(page.contains("&lt;evil&gt;evil&quot;quote' &amp; co"));
        assert!(!page.contains("<evil") && !page.contains("evil\"quote"), "{page}");
    }
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let mut report = report();
    report.samples[1].image = Some(noise(8));
    let page = page(&report);
    let values = |key: &str| page.split(key).skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(values(" src=").len(), 1);
    assert!(values(" src=").iter().all(|value| value.starts_with("\"data:image/jpeg;base64,")));
    assert!(values(" href=").iter().all(|value| value.starts_with("\"#s")));
    for outside in ["http", "<link", "@import", "url(", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // What cannot be read says which file, and why.
    assert!(page.contains("pictures/2.jpg") && page.contains("cannot read"), "{page}");
}

#[test]
fn the_fifty_worst_samples_come_worst_first_and_stay_small() {
    let image = noise(400);
    let ranks = (0..60).map(|index| (index * 37) % 60);
    let of_rank =
        |rank| sample(&format!("<{rank:02}>"), Some(image.clone()), f64::from(rank) / 60.0);
    let mut report = report();
    report.samples = ranks.map(of_rank).collect();
    let page = page(&report);
    assert!(page.len() < 3_000_000, "{}", page.len());
    let places: Vec<Option<usize>> =
        (0..60).map(|rank| page.find(&format!("<h3>&lt;{rank:02}&gt;"))).collect();
    assert!(places[..50].iter().all(Option::is_some) && places[..50].is_sorted(), "{places:?}");
    assert!(places[50..].iter().all(Option::is_none));
    assert!(page.contains("The 50 worst of 60."));
}

/// The numbers at an attribute of the elements of one kind.
fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
    let start = format!("<{element} ");
    svg.split(&start)
        .skip(1)
        .filter_map(|rest| {
            let (head, _) = rest.split_once('>')?;
            let (_, value) = head.split_once(&format!("{attribute}=\""))?;
            value.split('"').next()?.parse().ok()
        })
        .collect()
}

#[test]
fn marks_stand_where_the_scale_says() {
    let at = |value, low, high| Cell::Estimate {
        unit: Unit::Score,
        estimate: Estimate { value: Some(value), low: Some(low), high: Some(high) },
    };
    let table = Table {
        title: "Sentences".to_owned(),
        columns: vec!["length".to_owned()],
        rows: vec![row("one", [at(20.0, 10.0, 40.0)]), row("two", [at(60.0, 35.0, 60.0)])],
    };
    let plots = Plot::of(&table);
    assert_eq!((plots.len(), plots[0].title.as_str()), (1, "Sentences: length"));
    for width in [380, 720] {
        let svg = plots[0].to_svg(width);
        let (marks, starts, ends) = (
            numbers(&svg, "circle", "cx"),
            numbers(&svg, "line class=\"interval\"", "x1"),
            numbers(&svg, "line class=\"interval\"", "x2"),
        );
        let ticks = numbers(&svg, "line class=\"tick\"", "x1");
        assert_eq!(ticks.len(), 6, "10 to 60 by 10");
        assert!(ticks[5] <= f64::from(width) && ticks[0] >= 0.0);
        assert_eq!(marks, [ticks[1], ticks[5]]);
        assert_eq!(starts[0], ticks[0]);
        assert_eq!(ends, [ticks[3], ticks[5]]);
        assert!((starts[1] - (ticks[2] + ticks[3]) / 2.0).abs() < 0.11, "35 is between 30 and 40");
        let heights = numbers(&svg, "circle", "cy");
        assert!(heights[0] < heights[1]);
    }
}

#[test]
fn what_was_not_measured_is_not_drawn() {
    let plots = Plot::of(&table());
    assert_eq!(plots.len(), 1);
    let names: Vec<&str> = plots[0].rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["what", "how many"]);
    let many = Table { rows: vec![table().rows[0].clone(); 61], ..table() };
    let nothing = Table { rows: vec![table().rows[2].clone()], ..table() };
    assert!(Plot::of(&many).is_empty() && Plot::of(&nothing).is_empty());
}

#[test]
fn runs_stand_side_by_side_with_what_lies_apart() {
    let mut better = report();
    better.metrics[0].estimate = wilson(1000, 1290);
    better.tables[0].rows.remove(1);
    better.settings = json!({"seed": 8, "decoding": {"beams": 5}});
    let comparison = compare(&[report(), better.clone()]).unwrap();
    assert_eq!(comparison.runs, ["vigc-mini (1)", "vigc-mini (2)"]);
    let apart = |table: &Table| -> Vec<String> {
        let last = table.rows.iter().filter_map(|row| row.cells.last());
        last.map(|cell| if let Cell::Text(text) = cell { text.clone() } else { String::new() })
            .collect()
    };
    assert_eq!(apart(&comparison.metrics), ["vigc-mini (2) > vigc-mini (1)", "", ""]);
    assert_eq!(comparison.tables.len(), 1);
    assert_eq!(comparison.tables[0].title, "By kind: accuracy");
    assert_eq!(comparison.tables[0].rows[1].cells[1], Cell::Text(String::new()));
    assert_eq!(comparison.settings.rows.len(), 1);
    assert_eq!(comparison.settings.rows[0].name, "seed");
    assert!(comparison.to_string().contains("77.5% [75.2, 79.7]"), "{comparison}");

    better.suite = "POPE".to_owned();
    let error = compare(&[report(), better]).unwrap_err().to_string();
    assert!(error.contains("OKVQA") && error.contains("POPE"), "{error}");
    assert!(matches!(compare(&[]), Err(crate::Error::NoReports)));
}

#[test]
fn an_index_leads_to_each_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.html");
    let report = report();
    write_index(&path, "All suites", &[("okvqa.html", &report), ("other.html", &report)]).unwrap();
    let page = fs::read_to_string(path).unwrap();
    assert!(page.contains("<a href=\"okvqa.html\"") && page.contains("<a href=\"other.html\""));
    assert_eq!(page.matches(">58.9%<").count(), 2);
}
