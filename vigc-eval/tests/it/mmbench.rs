//! MMBench's tables, orders, prompts and scores against VLMEvalKit, LLaVA and pandas.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use vigc_eval::mmbench::{
    Choice, Entry, Mmbench, Score, Submission, Template, Tsv, Verdict, infer, with_rotations,
};
use vigc_eval::report::Cell;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mmbench")).join(name)
}

fn read<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

#[test]
fn choices_equal_vlmevalkits() {
    #[derive(Deserialize)]
    struct Group {
        options: Vec<String>,
        answers: Vec<(String, Option<char>)>,
    }
    let groups: Vec<Group> = read("choice.json");
    assert!(groups.iter().map(|group| group.answers.len()).sum::<usize>() > 1000);
    for Group { options, answers } in groups {
        let options: Vec<(char, String)> = ('A'..).zip(options).collect();
        for (answer, letter) in answers {
            let expected = letter.map(|letter| match letter {
                'Z' => Choice::Neither,
                letter => Choice::Option(letter),
            });
            assert_eq!(infer(&answer, &options), expected, "{answer:?} of {options:?}");
        }
    }
}

/// A row's cells that are not empty, as the fixture has them.
fn cells(entry: &Entry) -> BTreeMap<String, String> {
    let mut cells: BTreeMap<String, String> =
        entry.options.iter().map(|(letter, text)| (letter.to_string(), text.clone())).collect();
    let mut put = |name: &str, cell: Option<String>| {
        cells.extend(cell.map(|cell| (name.to_owned(), cell)));
    };
    put("index", Some(entry.id()));
    put("question", Some(entry.question.clone()));
    put("hint", entry.hint.clone());
    put("answer", entry.answer.map(String::from));
    put("category", entry.category.clone());
    put("l2_category", entry.l2_category.clone());
    put("split", entry.split.clone());
    put("source", entry.source.clone());
    put("comment", entry.comment.clone());
    put("image", Some(BASE64_STANDARD.encode(&entry.image)));
    cells
}

#[test]
fn tables_are_read_as_pandas_reads_them() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<BTreeMap<String, String>>,
        without_picture: usize,
    }
    let tables: BTreeMap<String, Table> = read("tables.json");
    assert_eq!(tables.len(), 2);
    for (name, table) in tables {
        let found = Tsv::open(fixture(&name)).unwrap();
        assert_eq!(found.without_image, table.without_picture, "{name}");
        assert_eq!(found.entries.len(), table.rows.len(), "{name}");
        for (entry, expected) in found.entries.iter().zip(table.rows) {
            assert_eq!(cells(entry), expected, "{name}");
        }
    }
}

/// Index, group, the options A to D and the answer.
type Order = (u64, u64, [Option<String>; 4], Option<char>);

fn order(entry: &Entry) -> Order {
    let options = ['A', 'B', 'C', 'D'].map(|letter| entry.option(letter).map(str::to_owned));
    (entry.index, entry.group, options, entry.answer)
}

#[test]
fn orders_equal_vlmevalkits() {
    type Row = (u64, u64, Option<String>, Option<String>, Option<String>, Option<String>, char);
    let rows: Vec<Row> = read("circular.json");
    assert!(rows.len() > 300);
    let mut expected: Vec<Order> = rows
        .into_iter()
        .map(|(index, group, a, b, c, d, answer)| (index, group, [a, b, c, d], Some(answer)))
        .collect();
    expected.sort();
    let originals = Tsv::open(fixture("originals.tsv")).unwrap().entries;
    let published = Tsv::open(fixture("circular.tsv")).unwrap().entries;
    for entries in [with_rotations(&originals), published] {
        let mut found: Vec<Order> = entries.iter().map(order).collect();
        found.sort();
        assert_eq!(found, expected);
    }
}

#[derive(Deserialize)]
struct Prompts {
    vlm_eval_kit: BTreeMap<String, Vec<String>>,
    /// Index, number of moves and prompt.
    llava: Vec<(u64, u64, String)>,
}

#[test]
fn prompts_equal_vlmevalkits_and_llavas() {
    let prompts: Prompts = read("prompts.json");
    for (name, expected) in prompts.vlm_eval_kit {
        let entries = Tsv::open(fixture(&name)).unwrap().entries;
        assert_eq!(entries.len(), expected.len());
        for (entry, expected) in entries.iter().zip(expected) {
            assert_eq!(Template::VlmEvalKit.prompt(entry), expected);
        }
    }
    let originals = Tsv::open(fixture("originals.tsv")).unwrap().entries;
    let orders: HashMap<u64, Entry> =
        with_rotations(&originals).into_iter().map(|entry| (entry.index, entry)).collect();
    let mut compared = 0;
    for (index, moves, expected) in prompts.llava {
        // LLaVA moves options that speak of letters, too, and cuts off options that are `none`
        // before it moves them.
        let Some(entry) = orders.get(&(index + moves * 1_000_000)) else { continue };
        if moves == 0 || entry.options.iter().all(|(_, text)| text != "none") {
            assert_eq!(Template::Llava.prompt(entry), expected);
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared}");
}

#[derive(Deserialize)]
struct Expected {
    circular: Vec<(u64, usize)>,
    every: Vec<(u64, usize)>,
    /// By way of counting, split and ability.
    shares: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>,
}

fn compare(score: &Score, expected: &Expected) {
    let mut circular: Vec<(u64, usize)> =
        score.questions.iter().map(|q| (q.index, usize::from(q.is_right()))).collect();
    circular.sort_unstable();
    let mut every: Vec<(u64, usize)> = score
        .questions
        .iter()
        .flat_map(|question| &question.rounds)
        .map(|r| (r.id.parse().unwrap(), usize::from(r.verdict == Verdict::Right)))
        .collect();
    every.sort_unstable();
    let sorted = |mut hits: Vec<(u64, usize)>| {
        hits.sort_unstable();
        hits
    };
    assert_eq!(circular, sorted(expected.circular.clone()));
    assert_eq!(every, sorted(expected.every.clone()));
    let tables = score.findings().tables;
    for (column, way) in ["circular", "first", "every"].into_iter().enumerate() {
        for (split, shares) in &expected.shares[way] {
            let title = format!("MMBench by ability ({split})");
            let table = tables.iter().find(|table| table.title == title).unwrap();
            let found = table.rows.iter().map(|row| match &row.cells[column] {
                Cell::Estimate { estimate, .. } => (row.name.clone(), estimate.value),
                other => panic!("{other:?}"),
            });
            let known = shares.iter().filter(|(_, share)| share.is_some());
            let known = known.map(|(name, share)| (name.replace("Overall", "overall"), *share));
            assert_eq!(found.collect::<BTreeMap<_, _>>(), known.collect(), "{way}, {split}");
        }
    }
}

#[test]
fn scores_equal_vlmevalkits() {
    #[derive(Deserialize)]
    struct Scores {
        answers: HashMap<String, String>,
        readings: HashMap<String, String>,
        exact: Expected,
        judged: Expected,
    }
    let scores: Scores = read("score.json");
    assert!(scores.answers.len() > 300 && scores.readings.len() > 20);
    // The orders of the published table, and ours.
    for name in ["circular.tsv", "originals.tsv"] {
        let suite = Mmbench::new(&Tsv::open(fixture(name)).unwrap()).unwrap();
        let exact = suite.score(&scores.answers).unwrap();
        compare(&exact, &scores.exact);
        let mut unresolved: Vec<&String> = exact.unresolved.iter().map(|u| &u.id).collect();
        unresolved.sort();
        let mut read: Vec<&String> = scores.readings.keys().collect();
        read.sort();
        assert_eq!(unresolved, read);
        let judged = suite.score_with(&scores.answers, &scores.readings).unwrap();
        compare(&judged, &scores.judged);
        assert_eq!(judged.unresolved, []);
    }
}

/// Every cell of the first sheet of a workbook, by its name.
fn workbook_cells(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut file = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let (strings, sheet) = (file("xl/sharedStrings.xml"), file("xl/worksheets/sheet1.xml"));
    let between = |text: &str, open: &str, close: &str| {
        let start = text.find(open).unwrap() + open.len();
        let text = &text[start..];
        text[..text.find(close).unwrap()].to_owned()
    };
    let plain = |text: &str| {
        let text = text.replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&quot;", "\"").replace("&amp;", "&")
    };
    let strings: Vec<String> = strings
        .split("<si>")
        .skip(1)
        .map(|item| between(item, "<t", "</t>"))
        .map(|item| plain(item.split_once('>').unwrap().1))
        .collect();
    let cells = sheet.split("<c r=\"").skip(1).map(|cell| {
        let value = between(cell, "<v>", "</v>");
        let is_text = between(cell, "", "<v>").contains("t=\"s\"");
        let value = if is_text { strings[value.parse::<usize>().unwrap()].clone() } else { value };
        (cell[..cell.find('"').unwrap()].to_owned(), value)
    });
    cells.collect()
}

#[test]
fn a_submission_holds_every_answer() {
    let entries = Tsv::open(fixture("circular.tsv")).unwrap().entries;
    let answer = |entry: &Entry| match entry.index % 5 {
        0 => format!("answer \"{}\"\twith\nall", entry.index),
        _ => format!(" {}", entry.index),
    };
    let answers: HashMap<String, String> =
        entries.iter().map(|entry| (entry.id(), answer(entry))).collect();
    let submission = Submission::new(&entries, &answers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tsv, xlsx) = (folder.path().join("a.tsv"), folder.path().join("a.xlsx"));
    submission.write_tsv(&tsv).unwrap();
    let expected = std::fs::read_to_string(fixture("submission.tsv")).unwrap();
    assert_eq!(std::fs::read_to_string(&tsv).unwrap(), expected);

    submission.write_xlsx(&xlsx).unwrap();
    let bytes = std::fs::read(&xlsx).unwrap();
    let found = workbook_cells(&bytes);
    let mut table = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .has_headers(false)
        .from_reader(expected.as_bytes());
    let mut cells = BTreeMap::new();
    for (row, record) in (1..).zip(table.records()) {
        let record = record.unwrap();
        let named = ('A'..).zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        cells.extend(named.map(|(column, cell)| (format!("{column}{row}"), cell.to_owned())));
    }
    assert_eq!(found, cells);
    submission.write_xlsx(&xlsx).unwrap();
    assert_eq!(std::fs::read(&xlsx).unwrap(), bytes);
}
