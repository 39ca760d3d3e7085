//! One page that leads to several reports.

use std::path::Path;

use maud::{Markup, html};
use vigc_core::files::write_atomic;

use super::Report;
use super::html::{Section, cards, page};
use vigc_pipeline::Result;

/// Writes a page with the metrics of several reports, each linked to its own page.
///
/// `pages` are the reports with the addresses of their pages, as seen from this one: usually plain
/// file names.
///
/// # Errors
///
/// Returns an error if the file cannot be written.
pub fn write_index(path: impl AsRef<Path>, title: &str, pages: &[(&str, &Report)]) -> Result<()> {
    let sections: Vec<Section> = pages
        .iter()
        .map(|(address, report)| Section::new(&report.suite, entry(address, report)))
        .collect();
    let page = page(title, "", &Markup::default(), &sections);
    Ok(write_atomic(path, page.as_bytes())?)
}

fn entry(address: &str, report: &Report) -> Markup {
    html! {
        p { (report.model) " · " a href=(address) { "the whole report" } }
        (cards(&report.metrics))
    }
}
