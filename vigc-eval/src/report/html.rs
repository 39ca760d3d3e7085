//! Pages that need nothing but themselves.

mod metrics;
mod samples;
mod settings;
mod table;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{self, Plot};
use super::{Report, Table};

pub(super) use self::metrics::cards;
pub(super) use self::settings::flattened;

/// A part of a page that can be jumped to.
#[derive(Debug)]
pub(super) struct Section {
    title: String,
    content: Markup,
}

impl Section {
    pub(super) fn new(title: impl Into<String>, content: Markup) -> Self {
        Self { title: title.into(), content }
    }

    /// A table below its plots.
    pub(super) fn of_table(table: &Table, plots: &[Plot]) -> Self {
        Self::new(&table.title, table::table_with_plots(table, plots))
    }
}

/// The page of one report.
pub(super) fn report(report: &Report) -> String {
    let mut sections: Vec<Section> =
        report.tables.iter().map(|table| Section::of_table(table, &Plot::of(table))).collect();
    if !report.samples.is_empty() {
        sections.push(Section::new("Worst samples", samples::list(report)));
    }
    sections.push(Section::new("Settings", settings::list(&report.settings)));
    page(&report.suite, &report.model, &cards(&report.metrics), &sections)
}

/// A page: heading, what comes first, and the sections.
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
                style { (PreEscaped(plot::STYLE)) (PreEscaped(include_str!("html/page.css"))) }
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
                footer { "Intervals are of 95 %. Written by vigc-pipeline " (env!("CARGO_PKG_VERSION")) "." }
                script { (PreEscaped(include_str!("html/sort.js"))) }
            }
        }
    }
    .into_string()
}

/// Links to the sections, where there are several.
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
