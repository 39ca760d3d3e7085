//! The paper's tables beside ours, and our own.

use super::measured::Measured;
use super::paper::{Scores, TABLE_1, TABLE_3, TABLE_4};
use super::statistics::Mean;
use super::table::Table;

const SCORES: [&str; 4] = ["conv", "detail", "complex", "all"];

/// Every table that has rows.
pub(super) fn all(measured: &Measured<'_>) -> Vec<Table> {
    let tables = [
        table_1(measured, "test"),
        table_1(measured, "unseen"),
        correction(measured),
        table_3(measured),
        table_4(measured),
        objects(measured),
        steps(measured),
        before_and_after(measured),
    ];
    tables.into_iter().filter(|table| !table.is_empty()).collect()
}

fn seeds(measured: &Measured<'_>) -> String {
    let seeds = measured.seeds().len();
    format!(
        "Means over {seeds} seeds ± half of the 95 % interval (Student), * over fewer; differences are those of the same seed."
    )
}

fn cell(mean: Option<Mean>) -> String {
    mean.map_or("–".to_owned(), |mean| mean.to_string())
}

fn signed(mean: Option<Mean>) -> String {
    mean.map_or("–".to_owned(), |mean| format!("{mean:+}"))
}

fn domain(split: &str) -> &'static str {
    match split {
        "test" => "the annotated domain",
        _ => "the other domain",
    }
}

/// Table 1: LLaVA with rows added and replaced.
fn table_1(measured: &Measured<'_>, split: &str) -> Table {
    let title = format!("Table 1: LLaVA on LLaVA-Eval, pictures of {}", domain(split));
    let columns =
        ["", "conv", "ours", "detail", "ours", "complex", "ours", "all", "ours", "to baseline"];
    let note = format!("The columns with names are the paper's. {}", seeds(measured));
    let mut table = Table::new(&title, &note, &columns);
    let paper = TABLE_1.iter().map(|&(name, scores, condition)| (name, Some(scores), condition));
    let own = [
        ("+ all three, VIG", None, "all-vig"),
        ("+ all three, VIC", None, "all-vic"),
        ("+ all three, VIC, other domain", None, "other-vic"),
    ];
    for (name, scores, condition) in paper.chain(own) {
        if measured.has("llava", condition) {
            table.push(name, score_cells(measured, (split, condition), scores));
        }
    }
    table
}

/// Paper and ours in turn, then the difference of all from the baseline.
fn score_cells(
    measured: &Measured<'_>,
    (split, condition): (&str, &str),
    paper: Option<Scores>,
) -> Vec<String> {
    let mut cells = Vec::new();
    for (index, name) in SCORES.iter().enumerate() {
        cells.push(paper.map_or("–".to_owned(), |scores| format!("{:.1}", scores[index])));
        cells.push(cell(measured.mean("llava", condition, &format!("{split}/{name}"))));
    }
    let all = format!("{split}/all");
    cells.push(signed(measured.difference("llava", condition, "none", &all)));
    cells
}

/// What VIC's answers are worth more than VIG's, to the same questions.
fn correction(measured: &Measured<'_>) -> Table {
    let columns = ["", "paper", "ours, annotated domain", "ours, other domain"];
    let title = "LLaVA-Eval, all: with VIC's rows less with VIG's";
    let mut table = Table::new(title, &seeds(measured), &columns);
    let rows = [
        ("LLaVA, conversation", "llava", "conv"),
        ("LLaVA, detail", "llava", "detail"),
        ("LLaVA, complex", "llava", "complex"),
        ("LLaVA, all three", "llava", "all"),
        ("InstructBLIP, all three", "instructblip", "all"),
    ];
    let mut pairs = Vec::new();
    for (name, student, kind) in rows {
        let [vic, vig] = ["vic", "vig"].map(|writer| format!("{kind}-{writer}"));
        if !measured.has(student, &vic) {
            continue;
        }
        let paper = |condition: &str| {
            TABLE_1.iter().find(|(.., known)| *known == condition).map(|(_, scores, _)| scores[3])
        };
        let paper = paper(&vic).zip(paper(&vig)).map(|(vic, vig)| format!("{:+.1}", vic - vig));
        let ours = ["test/all", "unseen/all"]
            .map(|metric| signed(measured.difference(student, &vic, &vig, metric)));
        table.push(name, [paper.unwrap_or("–".to_owned())].into_iter().chain(ours));
        pairs.push((student, vic, vig));
    }
    if !pairs.is_empty() {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(student, vic, vig)| (*student, vic.as_str(), vig.as_str()))
            .collect();
        let ours = ["test/all", "unseen/all"]
            .map(|metric| signed(measured.mean_difference(&pairs, metric)));
        table.push("mean of these", ["–".to_owned()].into_iter().chain(ours));
    }
    table
}

/// Table 3: LLaVA with pictures of the same and of another domain.
fn table_3(measured: &Measured<'_>) -> Table {
    let columns = [
        "",
        "all: paper",
        "ours, annotated domain",
        "to baseline",
        "ours, other domain",
        "to baseline",
    ];
    let mut table = Table::new("Table 3: LLaVA-Eval, all", &seeds(measured), &columns);
    let paper = TABLE_3.iter().map(|&(name, scores, condition)| (name, Some(scores), condition));
    for (name, scores, condition) in paper.chain([("all three, VIC", None, Some("all-vic"))]) {
        let all = scores.map_or("–".to_owned(), |scores| format!("{:.1}", scores[3]));
        let ours = ["test/all", "unseen/all"].into_iter().flat_map(|metric| {
            let known = condition.filter(|&condition| measured.has("llava", condition));
            let mean = known.and_then(|condition| measured.mean("llava", condition, metric));
            let difference =
                known.and_then(|condition| measured.difference("llava", condition, "none", metric));
            [cell(mean), signed(difference)]
        });
        let ours: Vec<_> = ours.collect();
        if measured.has("llava", "none") {
            table.push(name, [all].into_iter().chain(ours));
        }
    }
    table
}

/// Table 4: short questions.
fn table_4(measured: &Measured<'_>) -> Table {
    let columns = ["", "OKVQA", "to without", "A-OKVQA", "to without"];
    let mut table = Table::new(
        "Table 4: OKVQA and A-OKVQA, pictures of the annotated domain",
        &seeds(measured),
        &columns,
    );
    if !STUDENTS.iter().any(|(student, _)| measured.has(student, "none")) {
        return table;
    }
    for (name, okvqa, aokvqa) in TABLE_4 {
        let aokvqa = aokvqa.map_or("–".to_owned(), |value| format!("{value:.1}"));
        let none = "–".to_owned();
        table.push(&format!("paper: {name}"), [format!("{okvqa:.1}"), none.clone(), aokvqa, none]);
    }
    for (student, shown) in STUDENTS {
        for (condition, what) in [
            ("none", "w/o VIGC"),
            ("all-vig", "w/ VIG"),
            ("all-vic", "w/ VIC"),
            ("replace-all", "replaced, VIC"),
        ] {
            if measured.has(student, condition) {
                let cells = ["test/okvqa", "test/aokvqa"].into_iter().flat_map(|metric| {
                    let difference = measured.difference(student, condition, "none", metric);
                    [cell(measured.mean(student, condition, metric)), signed(difference)]
                });
                table.push(&format!("ours: {shown} {what}"), cells.collect::<Vec<_>>());
            }
        }
    }
    table
}

const STUDENTS: [(&str, &str); 2] = [("instructblip", "InstructBLIP"), ("llava", "LLaVA")];

/// Objects that are invented.
fn objects(measured: &Measured<'_>) -> Table {
    let columns = [
        "",
        "CHAIRs",
        "CHAIRi",
        "recall",
        "POPE F1",
        "other domain: CHAIRs",
        "CHAIRi",
        "recall",
        "POPE F1",
    ];
    let note = format!("{} CHAIR: lower is better.", seeds(measured));
    let mut table = Table::new("Invented objects", &note, &columns);
    for (student, shown) in STUDENTS {
        for condition in ["none", "all-vig", "all-vic", "other-vic", "replace-all"] {
            if !measured.has(student, condition) {
                continue;
            }
            let cells = ["test", "unseen"].into_iter().flat_map(|split| {
                ["chair-s", "chair-i", "recall", "pope"]
                    .map(|name| cell(measured.mean(student, condition, &format!("{split}/{name}"))))
            });
            table.push(&format!("{shown}, {condition}"), cells.collect::<Vec<_>>());
        }
    }
    table
}

/// The steps that were tried, in order, with their names in the tables.
pub(super) fn tried(measured: &Measured<'_>) -> Vec<(String, String)> {
    let numbered = (0..100).map(|steps| (format!("steps-{steps}"), steps.to_string()));
    let all = numbered.chain([("steps-end".to_owned(), "until the end".to_owned())]);
    all.filter(|(condition, _)| measured.has("vigc", condition)).collect()
}

/// The ablation of the number of correction steps.
fn steps(measured: &Measured<'_>) -> Table {
    let columns = [
        "steps",
        "false, %",
        "to the draft",
        "sentences",
        "true statements",
        "other domain: false, %",
        "to the draft",
        "sentences",
        "true statements",
    ];
    let note = format!("{} Sentences and true statements are those of an answer.", seeds(measured));
    let mut table = Table::new("Correction in more or fewer steps", &note, &columns);
    for (condition, name) in tried(measured) {
        let cells = ["test", "unseen"].into_iter().flat_map(|split| {
            let mean = |name: &str| measured.mean("vigc", &condition, &format!("{split}/{name}"));
            let wrong = format!("{split}/false");
            let difference = measured.difference("vigc", &condition, "steps-0", &wrong);
            [cell(mean("false")), signed(difference), cell(mean("sentences")), cell(mean("claims"))]
        });
        table.push(&name, cells.collect::<Vec<_>>());
    }
    table
}

/// The kinds of dialogue, as metrics name them.
pub(super) const KINDS: [&str; 3] = ["conversation", "detail", "reasoning"];

fn before_and_after(measured: &Measured<'_>) -> Table {
    let columns =
        ["", "draft", "corrected", "difference", "other domain: draft", "corrected", "difference"];
    let mut table = Table::new(
        "False sentences before and after correction, in percent",
        &seeds(measured),
        &columns,
    );
    if !measured.has("vigc", "steps-end") {
        return table;
    }
    for kind in KINDS {
        let cells = ["test", "unseen"].into_iter().flat_map(|split| {
            let metric = format!("{split}/{kind}/false");
            let mean = |condition| cell(measured.mean("vigc", condition, &metric));
            let difference = measured.difference("vigc", "steps-end", "steps-0", &metric);
            [mean("steps-0"), mean("steps-end"), signed(difference)]
        });
        table.push(kind, cells.collect::<Vec<_>>());
    }
    table
}
