//! What the Hugging Face hub reads of a card: YAML at the head of `README.md`.
//!
//! Its keys are described in the hub's documentation ("Dataset Cards", "Data files configuration"); `dataset_info` is what
//! the library `datasets` writes itself.

use serde_json::json;

use super::Card;
use crate::curation::export::{COLUMNS, ExportFormat, Kind, Written};

/// The front matter of a card, with the lines that enclose it.
pub(super) fn front_matter(card: &Card) -> String {
    let mut lines = vec!["---".to_owned(), format!("pretty_name: {}", json!(card.about.title))];
    lines.extend(card.about.license.as_ref().map(|license| format!("license: {}", json!(license))));
    list(&mut lines, "language", &["en"]);
    list(&mut lines, "task_categories", &["visual-question-answering", "image-text-to-text"]);
    list(&mut lines, "size_categories", &[size_category(card.rows.kept)]);
    list(&mut lines, "tags", &["vigc", "synthetic", "visual-instruction-tuning"]);
    let parquet = card.files.iter().find(|written| written.format == ExportFormat::Parquet);
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

fn dataset_info(lines: &mut Vec<String>, parquet: &Written) {
    lines.extend(["dataset_info:", "  features:"].map(str::to_owned));
    for (name, kind) in &COLUMNS {
        lines.push(format!("  - name: {name}"));
        match kind {
            Kind::Image => lines.push("    dtype: image".to_owned()),
            Kind::One(scalar) => lines.push(format!("    dtype: {}", scalar.name())),
            Kind::List(fields) => {
                lines.push("    list:".to_owned());
                for (name, scalar) in *fields {
                    lines.push(format!("    - name: {name}"));
                    lines.push(format!("      dtype: {}", scalar.name()));
                }
            }
        }
    }
    let Written { rows, bytes, content_bytes, .. } = parquet;
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
