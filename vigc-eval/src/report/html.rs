//! Self-contained pages.

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use vigc_core::files::{write_atomic, write_json};

use super::findings::{
    Cell, MAX_SAMPLES, Metric, Report, Sample, SampleImage, Table, TableRow, Unit,
};
use super::number::{Column, Style};
use super::picture::{Picture, address};
use super::plot::{self, Plot};
use crate::interval::Estimate;

/// The widths in pixels of the plots for wide and for narrow screens.
const WIDTHS: [(u32, &str); 2] = [(900, "wide"), (380, "narrow")];

impl Report {
    /// Writes everything as JSON except images that are not in files.
    ///
    /// # Errors
    ///
    /// [`Write`](vigc_core::Error::Write) if the file cannot be written.
    pub fn write_json(&self, path: impl AsRef<Path>) -> vigc_core::Result<()> {
        write_json(path, self)
    }

    /// Writes one self-contained page: metrics, tables with plots, the 50 worst samples with their images, and the
    /// settings.
    ///
    /// Images are shrunk and become part of the page. If one cannot be read, the page says why.
    ///
    /// # Errors
    ///
    /// [`Write`](vigc_core::Error::Write) if the file cannot be written.
    pub fn write_html(&self, path: impl AsRef<Path>) -> vigc_core::Result<()> {
        write_atomic(path, report(self).as_bytes())
    }
}

/// Writes a page with the metrics of several reports, each with a link to its own page.
///
/// `pages` are the reports with the addresses of their pages relative to this one, usually plain file names.
///
/// # Errors
///
/// [`Write`](vigc_core::Error::Write) if the file cannot be written.
pub fn write_index(
    path: impl AsRef<Path>,
    title: &str,
    pages: &[(&str, &Report)],
) -> vigc_core::Result<()> {
    let sections: Vec<Section> = pages
        .iter()
        .map(|(address, report)| Section::new(&report.suite, entry(address, report)))
        .collect();
    write_atomic(path, page(title, "", &Markup::default(), &sections).as_bytes())
}

fn entry(address: &str, report: &Report) -> Markup {
    html! {
        p { (report.model) " · " a href=(address) { "the whole report" } }
        (cards(&report.metrics))
    }
}

/// A section of a page.
#[derive(Debug)]
pub(super) struct Section {
    title: String,
    content: Markup,
}

impl Section {
    fn new(title: impl Into<String>, content: Markup) -> Self {
        Self { title: title.into(), content }
    }

    /// A table below its plots.
    pub(super) fn of_table(table: &Table, plots: &[Plot]) -> Self {
        Self::new(&table.title, table_with_plots(table, plots))
    }
}

/// The page of one report.
fn report(report: &Report) -> String {
    let mut sections: Vec<Section> =
        report.tables.iter().map(|table| Section::of_table(table, &Plot::of(table))).collect();
    if !report.samples.is_empty() {
        sections.push(Section::new("Worst samples", samples(report)));
    }
    sections.push(Section::new("Settings", settings(&report.settings)));
    page(&report.suite, &report.model, &cards(&report.metrics), &sections)
}

/// A page: heading, introduction and sections.
pub(super) fn page(title: &str, subtitle: &str, first: &Markup, sections: &[Section]) -> String {
    let whole_title =
        if subtitle.is_empty() { title.to_owned() } else { format!("{title} · {subtitle}") };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (whole_title) }
                style { (PreEscaped(plot::STYLE)) (PreEscaped(include_str!("assets/page.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    @if !subtitle.is_empty() { p { (subtitle) } }
                    (contents(sections))
                }
                main {
                    (first)
                    @for (index, section) in sections.iter().enumerate() {
                        section id={ "s" (index) } { h2 { (section.title) } (section.content) }
                    }
                }
                footer { "Intervals are 95 % confidence intervals. Written by vigc-eval " (env!("CARGO_PKG_VERSION")) "." }
                script { (PreEscaped(include_str!("assets/sort.js"))) }
            }
        }
    }
    .into_string()
}

/// Links to the sections, if there are more than two.
fn contents(sections: &[Section]) -> Markup {
    html! {
        @if sections.len() > 2 {
            nav aria-label="Sections" {
                @for (index, section) in sections.iter().enumerate() {
                    a href={ "#s" (index) } { (section.title) }
                }
            }
        }
    }
}

/// The metrics, large.
fn cards(metrics: &[Metric]) -> Markup {
    html! {
        @if !metrics.is_empty() {
            dl class="metrics" {
                @for metric in metrics { div { (card(metric)) } }
            }
        }
    }
}

fn card(metric: &Metric) -> Markup {
    let parts = Style::of(metric.unit, [&metric.estimate]).signed().parts(&metric.estimate);
    html! {
        dt { (metric.name) }
        dd {
            div class="value" { (parts.value) }
            @if let Some([low, high]) = parts.interval {
                div class="interval" { (low) " to " (high) }
            }
            @if metric.unit == Unit::Share { (gauge(&metric.estimate)) }
        }
    }
}

/// A share with its interval on a bar from 0 to 100 %.
fn gauge(share: &Estimate) -> Markup {
    let percent = |share: f64| format!("{:.1}%", share.clamp(0.0, 1.0) * 100.0);
    html! {
        @if let Some(value) = share.value {
            svg class="gauge" aria-hidden="true" {
                rect class="track" y="3" width="100%" height="4" rx="2" {}
                @if let Some((low, high)) = share.low.zip(share.high) {
                    rect class="part" x=(percent(low)) y="1" width=(percent(high - low)) height="8" rx="4" {}
                }
                circle class="point" cx=(percent(value)) cy="5" r="4" {}
            }
        }
    }
}

/// A table that readers can sort, below its plots.
fn table_with_plots(table: &Table, plots: &[Plot]) -> Markup {
    html! {
        @for plot in plots {
            figure {
                @if plot.title != table.title { figcaption { (caption(plot, table)) } }
                @for (width, class) in WIDTHS { (plot.drawing(width, Some(class))) }
            }
        }
        div class="scroll" { (table_alone(table)) }
    }
}

/// The title of a plot without that of its table.
fn caption<'a>(plot: &'a Plot, table: &Table) -> &'a str {
    let rest = plot.title.strip_prefix(&table.title).and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(&plot.title)
}

fn table_alone(table: &Table) -> Markup {
    let columns: Vec<Column> =
        (0..table.columns.len()).map(|index| Column::of(table, index)).collect();
    html! {
        table {
            thead {
                tr {
                    th scope="col" { button { "Name" } }
                    @for column in &columns {
                        th scope="col" class=[column.is_of_counts.then_some("count")] { button { (column.heading) } }
                    }
                }
            }
            tbody { @for row in &table.rows { (table_row(row, &columns)) } }
        }
    }
}

fn table_row(row: &TableRow, columns: &[Column]) -> Markup {
    html! {
        tr {
            th scope="row" { (row.name) }
            @for (index, column) in columns.iter().enumerate() {
                @match row.cells.get(index) {
                    Some(cell) => (table_cell(cell, column)),
                    None => td {},
                }
            }
        }
    }
}

fn table_cell(cell: &Cell, column: &Column) -> Markup {
    let parts = column.parts(cell);
    let (class, sort) = match cell {
        Cell::Estimate { estimate, .. } => {
            (None, Some(estimate.value.map_or_else(String::new, |value| value.to_string())))
        }
        Cell::Count(count) => (column.is_of_counts.then_some("count"), Some(count.to_string())),
        Cell::Text(_) => (Some("text"), None),
    };
    html! {
        td class=[class] data-sort=[sort] {
            (parts.value)
            @if let Some([low, high]) = &parts.interval {
                span class="interval" { "[" (low) ", " (high) "]" }
            }
        }
    }
}

/// The worst samples beside their images, the worst first.
fn samples(report: &Report) -> Markup {
    let samples = report.worst_samples();
    let shown = samples.len().min(MAX_SAMPLES);
    html! {
        @if shown < samples.len() {
            p { "The " (shown) " worst of " (samples.len()) "." }
        }
        ol class="samples" { @for sample in &samples[..shown] { (item(sample)) } }
    }
}

fn item(sample: &Sample) -> Markup {
    let texts = [
        ("Question", &sample.question),
        ("Expected", &sample.expected),
        ("Answer", &sample.answer),
        ("Note", &sample.note),
    ];
    html! {
        li class=(if sample.image.is_some() { "sample" } else { "sample alone" }) {
            @if let Some(image) = &sample.image { (picture(sample, image)) }
            div {
                h3 { (sample.id) span class="score" { "score " (format!("{:.2}", sample.score)) } }
                dl {
                    @for (name, text) in texts {
                        @if name == "Answer" || !text.is_empty() {
                            dt { (name) }
                            dd class=[(name == "Answer").then_some("answer")] tabindex=[is_long(text).then_some("0")] {
                                @if text.trim().is_empty() { span class="empty" { "nothing" } } @else { (text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a text may have to be scrolled, so that the keyboard must reach it.
fn is_long(text: &str) -> bool {
    text.len() > 600
}

fn picture(sample: &Sample, image: &SampleImage) -> Markup {
    match address(image) {
        Ok(Picture { address, width, height }) => html! {
            div { img src=(address) width=(width) height=(height) alt={ "The image of " (sample.id) } loading="lazy"; }
        },
        Err(reason) => html! {
            div { p class="missing" { "No image: " (missing(image, &reason)) } }
        },
    }
}

/// The file that could not be read, and why.
fn missing(image: &SampleImage, reason: &str) -> String {
    match image {
        SampleImage::File(path) if !reason.contains(&*path.to_string_lossy()) => {
            format!("{}: {reason}", path.display())
        }
        SampleImage::File(_) | SampleImage::Encoded(_) => reason.to_owned(),
    }
}

/// The settings, one per line.
fn settings(settings: &Value) -> Markup {
    html! {
        dl class="settings" {
            @for (name, value) in flattened(settings) { dt { (name) } dd { (value) } }
        }
    }
}

/// Every value that is not an object. Its name is the keys that lead to it, joined by dots.
pub(super) fn flattened(settings: &Value) -> Vec<(String, String)> {
    let mut values = Vec::new();
    flatten("", settings, &mut values);
    values
}

fn flatten(name: &str, value: &Value, values: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, values);
            }
        }
        Value::String(text) => values.push((name.to_owned(), text.clone())),
        Value::Null => {}
        other => values.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_taken_apart_and_lists_are_not() {
        let settings = json!({"seed": 7, "decoding": {"strategy": {"beam": {"beams": 5}}, "eos_ids": [2]}, "none": null});
        let expected =
            [("seed", "7"), ("decoding.strategy.beam.beams", "5"), ("decoding.eos_ids", "[2]")];
        assert_eq!(flattened(&settings), expected.map(|(name, value)| (name.into(), value.into())));
    }
}
