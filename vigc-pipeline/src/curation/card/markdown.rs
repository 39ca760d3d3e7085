//! The data card as Markdown, with front matter for the Hugging Face hub.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;
use vigc_core::Result;

use super::contents::{Card, Corrections, Distribution, Example, TextCount};
use crate::curation::export::{COLUMNS, ColumnKind, ExportFormat, ExportedFiles};
use crate::curation::gates::GateReport;

/// Writes `card.json` and `README.md`.
pub(in crate::curation) fn write(card: &Card, folder: &Path) -> Result<()> {
    vigc_core::files::write_json(folder.join("card.json"), card)?;
    vigc_core::files::write_atomic(folder.join("README.md"), card.to_markdown().as_bytes())
}

impl Card {
    /// The card as Markdown, with front matter for the Hugging Face hub.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let sections = [
            Some(head(self)),
            Some(tasks(self)),
            Some(gates(self)),
            corrections(self),
            Some(questions(self)),
            examples(self),
            Some(models(self)),
            Some(files(self)),
            Some(limits(self)),
        ];
        let body = sections.into_iter().flatten().collect::<Vec<_>>().join("\n");
        format!("{}\n{body}", front_matter(self))
    }
}

/// The YAML front matter of `README.md`, which the Hugging Face hub reads, with the lines that enclose it.
///
/// The hub's documentation describes the keys ("Dataset Cards", "Data files configuration"). `dataset_info` is what the
/// library `datasets` writes itself.
fn front_matter(card: &Card) -> String {
    let mut lines = vec!["---".to_owned(), format!("pretty_name: {}", json!(card.about.title))];
    lines.extend(card.about.license.as_ref().map(|license| format!("license: {}", json!(license))));
    list(&mut lines, "language", &["en"]);
    list(&mut lines, "task_categories", &["visual-question-answering", "image-text-to-text"]);
    list(&mut lines, "size_categories", &[size_category(card.rows.kept)]);
    list(&mut lines, "tags", &["vigc", "synthetic", "visual-instruction-tuning"]);
    let parquet = card.files.iter().find(|exported| exported.format == ExportFormat::Parquet);
    let data = parquet.map_or("kept.jsonl", |_| "data/train-*");
    lines.extend(
        ["configs:", "- config_name: default", "  data_files:", "  - split: train"]
            .map(str::to_owned),
    );
    lines.push(format!("    path: {data}"));
    if let Some(parquet) = parquet {
        dataset_info(&mut lines, parquet);
    }
    lines.push("---\n".to_owned());
    lines.join("\n")
}

fn list(lines: &mut Vec<String>, key: &str, items: &[&str]) {
    lines.push(format!("{key}:"));
    lines.extend(items.iter().map(|item| format!("- {item}")));
}

fn dataset_info(lines: &mut Vec<String>, parquet: &ExportedFiles) {
    lines.extend(["dataset_info:", "  features:"].map(str::to_owned));
    for (name, kind) in &COLUMNS {
        lines.push(format!("  - name: {name}"));
        match kind {
            ColumnKind::Image => lines.push("    dtype: image".to_owned()),
            ColumnKind::Scalar(scalar) => lines.push(format!("    dtype: {}", scalar.name())),
            ColumnKind::List(fields) => {
                lines.push("    list:".to_owned());
                for (name, scalar) in *fields {
                    lines.push(format!("    - name: {name}"));
                    lines.push(format!("      dtype: {}", scalar.name()));
                }
            }
        }
    }
    let ExportedFiles { rows, bytes, content_bytes, .. } = parquet;
    lines.extend([
        "  splits:".to_owned(),
        "  - name: train".to_owned(),
        format!("    num_bytes: {content_bytes}"),
        format!("    num_examples: {rows}"),
        format!("  download_size: {bytes}"),
        format!("  dataset_size: {content_bytes}"),
    ]);
}

/// The hub's name for a number of rows.
fn size_category(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        _ => "100M<n<1B",
    }
}

/// The title, a summary and the license.
fn head(card: &Card) -> String {
    let models = card.models.iter().map(|model| plain(&model.model)).collect::<Vec<_>>();
    let license = card.about.license.as_deref();
    format!(
        "# {}\n\n{} questions with answers about {} pictures, written by {} with VIGC \
         ([Visual Instruction Generation and Correction](https://arxiv.org/abs/2308.12714)): the model asks a question \
         about a picture and answers it, then corrects its answer against the picture. No person has checked the \
         results.\n\nLicense: {}.\n",
        plain(&card.about.title),
        card.rows.kept,
        card.pictures,
        if models.is_empty() { "a model".to_owned() } else { distinct(models).join(", ") },
        license.map_or_else(|| "not specified".to_owned(), plain),
    )
}

fn distinct(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// The kept rows by task.
fn tasks(card: &Card) -> String {
    let columns = [
        "task",
        "#rows",
        "#pictures",
        "#words of questions",
        "#words of answers",
        "#sentences of answers",
    ];
    let rows = card.tasks.iter().map(|task| {
        let texts = [task.question_words, task.answer_words, task.answer_sentences].map(spread);
        let counts =
            [task.task.name().to_owned(), task.rows.to_string(), task.pictures.to_string()];
        counts.into_iter().chain(texts).collect()
    });
    let note =
        "Words and sentences are medians, with the 5th and the 95th percentile in brackets.\n";
    format!("## Rows\n\n{}\n{note}", table(&columns, rows))
}

/// The median, with the 5th and the 95th percentile.
fn spread(numbers: Distribution) -> String {
    format!("{} [{}, {}]", numbers.median, numbers.p5, numbers.p95)
}

/// What the runs and the gates left out.
fn gates(card: &Card) -> String {
    let columns = ["gate", "#in", "#dropped", "#out", "#not judged", "reasons"];
    let rows = card.gates.iter().map(|gate| match gate.enabled {
        true => gate_row(gate),
        false => [&gate.gate, "off", "", "", "", ""].map(str::to_owned).into(),
    });
    let counts = card.rows;
    let mut text = format!(
        "## Gates\n\n{} of {} rows were kept ({}). The gates checked each row in this order, and a row counts for the \
         first gate that dropped it. Rows that a rule does not apply to are not judged, and pass. The dropped rows are \
         in `dropped.jsonl`, the thresholds in `card.json`.\n\n{}\n",
        counts.kept,
        counts.read,
        percent(counts.kept, counts.read),
        table(&columns, rows),
    );
    if !card.origin.rejected.is_empty() || card.origin.skipped > 0 {
        let rejected =
            card.origin.rejected.iter().map(|(reason, count)| format!("{count} ({reason})"));
        let rejected = rejected.collect::<Vec<_>>().join(", ");
        let rejected = if rejected.is_empty() { "none".to_owned() } else { rejected };
        let skipped = card.origin.skipped;
        text += &format!(
            "Before that, the runs themselves rejected texts of the model that were not a question with an answer: \
             {rejected}. They skipped {skipped} files that could not be read as pictures.\n\n"
        );
    }
    let dropped = card.gates.iter().flat_map(|gate| &gate.examples);
    let rows = dropped.map(|row| {
        [&row.reason, &row.detail, &row.question, &row.answer].map(|text| plain(text)).into()
    });
    let rows = rows.collect::<Vec<_>>();
    if !rows.is_empty() {
        text += &format!(
            "Examples of dropped rows:\n\n{}",
            table(&["reason", "found", "question", "answer"], rows)
        );
    }
    text
}

fn gate_row(gate: &GateReport) -> Vec<String> {
    let reasons = gate.reasons.iter().map(|(reason, count)| format!("{} {count}", plain(reason)));
    vec![
        gate.gate.clone(),
        gate.checked.to_string(),
        gate.dropped.to_string(),
        (gate.checked - gate.dropped).to_string(),
        gate.not_judged.to_string(),
        reasons.collect::<Vec<_>>().join(", "),
    ]
}

/// What the correction did.
fn corrections(card: &Card) -> Option<String> {
    let counts = &card.corrections;
    let Corrections { corrected, changed, kept_sentences, changed_sentences, .. } = counts;
    if *corrected == 0 {
        return None;
    }
    let draft = kept_sentences + changed_sentences + counts.removed_sentences;
    let answer = kept_sentences + changed_sentences + counts.added_sentences;
    let sentences = [
        (
            "kept",
            *kept_sentences,
            percent(*kept_sentences, draft),
            percent(*kept_sentences, answer),
        ),
        (
            "changed",
            *changed_sentences,
            percent(*changed_sentences, draft),
            percent(*changed_sentences, answer),
        ),
        (
            "removed",
            counts.removed_sentences,
            percent(counts.removed_sentences, draft),
            String::new(),
        ),
        ("added", counts.added_sentences, String::new(), percent(counts.added_sentences, answer)),
    ];
    let sentences = sentences.into_iter().map(|(name, count, draft, answer)| {
        vec![name.to_owned(), count.to_string(), draft, answer]
    });
    let stops = counts.stops.iter().map(|(stop, count)| vec![plain(stop), count.to_string()]);
    let mut text = format!(
        "## Correction\n\n{corrected} rows were corrected. In {changed} of them ({}), the answer differs from the draft \
         in more than punctuation.\n\n{}\n{}",
        percent(*changed, *corrected),
        table(&["sentences", "#count", "#share of drafts", "#share of answers"], sentences),
        table(&["why the answer ended", "#rows"], stops),
    );
    if let Some(found) = card.log_prob_per_token {
        let quantiles =
            [found.min, found.p5, found.p25, found.median, found.p75, found.p95, found.max];
        let quantiles = quantiles.map(|number| format!("{number:.2}"));
        let columns = [
            "log-probability per token",
            "#min",
            "#5 %",
            "#25 %",
            "#median",
            "#75 %",
            "#95 %",
            "#max",
        ];
        let row = [format!("{} rows", found.count)].into_iter().chain(quantiles).collect();
        text += &format!("\n{}", table(&columns, [row]));
    }
    Some(text)
}

/// The most frequent questions and first words.
fn questions(card: &Card) -> String {
    let list = |frequent: &[TextCount]| {
        let row = |TextCount { text, rows }: &TextCount| {
            vec![plain(text), rows.to_string(), percent(*rows, card.rows.kept)]
        };
        frequent.iter().map(row).collect::<Vec<_>>()
    };
    let mut text = format!(
        "## Questions\n\n{} different questions with {} different first words.\n\n{}",
        card.distinct_questions,
        card.distinct_first_words,
        table(&["first word", "#rows", "#share"], list(&card.first_words)),
    );
    if !card.frequent_questions.is_empty() {
        let questions =
            table(&["most frequent question", "#rows", "#share"], list(&card.frequent_questions));
        text += &format!("\n{questions}");
    }
    text
}

/// Kept rows.
fn examples(card: &Card) -> Option<String> {
    let rows = card.examples.iter().map(|row| {
        let Example { image_id, task, question, draft, answer } = row;
        vec![plain(image_id), task.name().to_owned(), plain(question), plain(draft), plain(answer)]
    });
    let columns = ["picture", "task", "question", "draft", "answer"];
    (!card.examples.is_empty()).then(|| format!("## Examples\n\n{}", table(&columns, rows)))
}

/// What the rows were generated with.
fn models(card: &Card) -> String {
    let blocks = card.models.iter().map(|model| {
        let settings = serde_json::to_string_pretty(&model.settings).unwrap_or_default();
        format!("{}: {} rows\n\n```json\n{settings}\n```\n", plain(&model.model), model.rows)
    });
    format!("## Model and settings\n\n{}", blocks.collect::<Vec<_>>().join("\n"))
}

/// The files and how to read them.
fn files(card: &Card) -> String {
    let rows = card.files.iter().map(|exported| {
        let ExportedFiles { format, files, bytes, .. } = exported;
        let files = match files.as_slice() {
            [first, .., last] => format!("`{first}` … `{last}`"),
            files => files.iter().map(|file| format!("`{file}`")).collect(),
        };
        vec![format.name().to_owned(), files, size(*bytes)]
    });
    let has = |format| card.files.iter().any(|exported| exported.format == format);
    let columns =
        if has(ExportFormat::Parquet) { "image, question, answer, …" } else { "the rows" };
    let mut text = format!(
        "## Files\n\n{}\n```python\nfrom datasets import load_dataset\n\nrows = load_dataset(\"path/of/this/folder\", \
         split=\"train\")  # or its name on the hub\nrows[0]  # {columns}\n```\n",
        table(&["format", "files", "#size"], rows),
    );
    if has(ExportFormat::Llava) {
        text += "\nFor LLaVA's training, use `--data_path llava.json` and `--image_folder` with the folder of the pictures.\n";
    }
    text
}

/// What the data set is not good for.
fn limits(card: &Card) -> String {
    let mut limits = vec![
        "Answers can be wrong, and questions can be about things that the picture does not show. The model corrects its \
         own answers, so a mistake that it makes twice remains.",
        "The gates only read texts. They find texts that are malformed, repeated, too short, too long or unlikely to the \
         model, but not texts that are false.",
        "All texts are English. The rows share the biases of the model and of the pictures.",
    ];
    if card.models.iter().any(|model| model.model == "vigc-mini") {
        limits.push(
            "`vigc-mini` was trained on rendered scenes only. What it says about other pictures is meaningless.",
        );
    }
    let lines = limits.into_iter().map(|limit| format!("- {limit}\n")).collect::<String>();
    format!("## Limits\n\n{lines}")
}

/// A table. A `#` before a title is removed and aligns the column to the right.
fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let titles = columns.iter().map(|column| column.trim_start_matches('#'));
    let marks = columns.iter().map(|column| if column.starts_with('#') { "---:" } else { "---" });
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&titles.map(str::to_owned).collect::<Vec<_>>());
    text += &line(&marks.map(str::to_owned).collect::<Vec<_>>());
    rows.into_iter().for_each(|cells| text += &line(&cells));
    text
}

/// Escapes a text so that Markdown shows it as plain text on one line.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '$' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A share, such as `12.3 %`.
fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

/// A size in bytes with a unit, such as `1.2 MB`.
fn size(bytes: u64) -> String {
    let mut text = String::new();
    let (mut number, mut unit) = (bytes as f64, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if number >= 1000.0 {
            (number, unit) = (number / 1000.0, larger);
        }
    }
    let digits = usize::from(unit != "B");
    // Writing to a string cannot fail.
    let _ = write!(text, "{number:.digits$} {unit}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_in_their_cells() {
        assert_eq!(plain("a|b\n <image> *c*  `d`"), r"a\|b &lt;image> \*c\* \`d\`");
        let text = table(&["a", "#b"], [vec![plain("x|y"), "1".to_owned()]]);
        assert_eq!(text, "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n");
    }

    #[test]
    fn sizes_and_shares_are_short() {
        let found = [0, 999, 1000, 1_234_567].map(size);
        assert_eq!(found, ["0 B", "999 B", "1.0 kB", "1.2 MB"]);
        assert_eq!((percent(1, 8), percent(0, 0)), ("12.5 %".to_owned(), "–".to_owned()));
    }
}
