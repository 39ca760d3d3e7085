//! Several runs of one suite side by side.

use std::fmt;
use std::path::Path;

use vigc_core::files::write_atomic;

use super::findings::{Cell, Metric, Report, Table, TableRow, Unit};
use super::html::{Section, flattened, page};
use super::plot::Plot;
use super::terminal;
use crate::error::{Error, Result};
use crate::interval::Estimate;

/// Several runs of one suite side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The suite.
    pub suite: String,
    /// The names of the runs: their models, numbered if several have the same name.
    pub runs: Vec<String>,
    /// The metrics, with a column for each run and one for the intervals that do not overlap.
    pub metrics: Table,
    /// One table of the same form for each column of the reports' tables.
    pub tables: Vec<Table>,
    /// The settings that differ.
    pub settings: Table,
}

/// Puts several runs of one suite side by side.
///
/// Metrics, tables, columns and rows are matched by name. A cell that a run does not have stays empty.
///
/// # Errors
///
/// [`Error::NoReports`] if there is no report, [`Error::OtherSuite`] if the reports are of different suites.
pub fn compare(reports: &[Report]) -> Result<Comparison> {
    let first = reports.first().ok_or(Error::NoReports)?;
    if let Some(other) = reports.iter().find(|report| report.suite != first.suite) {
        let (first, other) = (first.suite.clone(), other.suite.clone());
        return Err(Error::OtherSuite { first, other });
    }
    let runs = names(reports);
    let rows = |report: &Report| report.metrics.iter().map(named).collect::<Vec<_>>();
    let metrics = beside("Metrics", &runs, &reports.iter().map(rows).collect::<Vec<_>>());
    let tables = columns(reports).into_iter().map(|(title, column)| {
        let rows = reports.iter().map(|report| column_of(report, &title, &column));
        beside(&format!("{title}: {column}"), &runs, &rows.collect::<Vec<_>>())
    });
    let tables = tables.collect();
    let settings = differing_settings(reports, &runs);
    Ok(Comparison { suite: first.suite.clone(), runs, metrics, tables, settings })
}

impl Comparison {
    /// Aligned tables for a terminal of `width` characters.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let tables = [&self.metrics].into_iter().chain(&self.tables).chain([&self.settings]);
        let tables = tables.filter(|table| !table.rows.is_empty());
        let texts: Vec<String> = tables.map(|table| terminal::table(table, width)).collect();
        format!("{}: {}\n\n{}", self.suite, self.runs.join(", "), texts.join("\n"))
    }

    /// Writes one self-contained page.
    ///
    /// # Errors
    ///
    /// [`Write`](vigc_core::Error::Write) if the file cannot be written.
    pub fn write_html(&self, path: impl AsRef<Path>) -> vigc_core::Result<()> {
        let runs: Vec<usize> = (0..self.runs.len()).collect();
        let mut sections = vec![Section::of_table(&self.metrics, &self.plots_of_metrics(&runs))];
        for table in &self.tables {
            let plots = [Unit::Share, Unit::Score].map(|unit| Plot::of_columns(table, unit, &runs));
            let plots: Vec<Plot> = plots.into_iter().filter(Plot::is_readable).collect();
            sections.push(Section::of_table(table, &plots));
        }
        if !self.settings.rows.is_empty() {
            sections.push(Section::of_table(&self.settings, &[]));
        }
        let page = page(&self.suite, &self.runs.join(" · "), &maud::html! {}, &sections);
        write_atomic(path, page.as_bytes())
    }

    /// One plot of all shares, and one of each score.
    fn plots_of_metrics(&self, runs: &[usize]) -> Vec<Plot> {
        let table = &self.metrics;
        let mut plots = vec![Plot::of_columns(table, Unit::Share, runs)];
        for row in &table.rows {
            let table = Table {
                title: row.name.clone(),
                columns: table.columns.clone(),
                rows: vec![row.clone()],
            };
            plots.push(Plot::of_columns(&table, Unit::Score, runs));
        }
        plots.retain(Plot::is_readable);
        plots
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(terminal::WIDTH))
    }
}

/// The names of the models, numbered if several have the same name.
fn names(reports: &[Report]) -> Vec<String> {
    let alike = |model: &str| reports.iter().filter(|report| report.model == model).count();
    let name = |(index, report): (usize, &Report)| {
        let earlier = reports[..index].iter().filter(|other| other.model == report.model).count();
        match alike(&report.model) {
            1 => report.model.clone(),
            _ => format!("{} ({})", report.model, earlier + 1),
        }
    };
    reports.iter().enumerate().map(name).collect()
}

fn named(metric: &Metric) -> (String, Cell) {
    (metric.name.clone(), Cell::Estimate { unit: metric.unit, estimate: metric.estimate })
}

/// Table title and heading of every column that holds numbers, each once.
fn columns(reports: &[Report]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for table in reports.iter().flat_map(|report| &report.tables) {
        for (index, column) in table.columns.iter().enumerate() {
            let mut cells = table.rows.iter().filter_map(|row| row.cells.get(index));
            let key = (table.title.clone(), column.clone());
            if cells.any(|cell| matches!(cell, Cell::Estimate { .. })) && !found.contains(&key) {
                found.push(key);
            }
        }
    }
    found
}

/// A column of a report's table as pairs of row name and cell.
fn column_of(report: &Report, title: &str, column: &str) -> Vec<(String, Cell)> {
    let Some(table) = report.tables.iter().find(|table| table.title == title) else {
        return Vec::new();
    };
    let index = table.columns.iter().position(|name| name == column);
    let cell = |row: &TableRow| Some((row.name.clone(), row.cells.get(index?)?.clone()));
    table.rows.iter().filter_map(cell).collect()
}

/// A table of the cells that the runs have under each name, with the intervals that lie apart.
fn beside(title: &str, runs: &[String], rows_of: &[Vec<(String, Cell)>]) -> Table {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in rows_of.iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let rows = names.into_iter().map(|name| {
        let cell = |rows: &Vec<(String, Cell)>| {
            let found = rows.iter().find(|(other, _)| other == name);
            found.map_or_else(|| Cell::Text(String::new()), |(_, cell)| cell.clone())
        };
        let mut cells: Vec<Cell> = rows_of.iter().map(cell).collect();
        cells.push(Cell::Text(apart(runs, &cells)));
        TableRow { name: name.clone(), cells }
    });
    let columns = runs.iter().cloned().chain(["intervals apart".to_owned()]).collect();
    Table { title: title.to_owned(), rows: rows.collect(), columns }
}

/// Which runs lie above which others, that is, with all of their interval.
fn apart(runs: &[String], cells: &[Cell]) -> String {
    let estimate = |cell: &Cell| match cell {
        Cell::Estimate { estimate, .. } => Some(*estimate),
        Cell::Count(_) | Cell::Text(_) => None,
    };
    let estimates: Vec<Option<Estimate>> = cells.iter().map(estimate).collect();
    let above = |one: &Estimate| {
        let lower = estimates.iter().map(|other| other.is_some_and(|other| other.is_below(one)));
        let names = runs.iter().zip(lower).filter_map(|(name, is_lower)| is_lower.then_some(name));
        names.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let lists = estimates.iter().map(|one| one.as_ref().map(above).unwrap_or_default());
    let parts = runs.iter().zip(lists).filter(|(_, lower)| !lower.is_empty());
    parts.map(|(high, lower)| format!("{high} > {lower}")).collect::<Vec<_>>().join("; ")
}

fn differing_settings(reports: &[Report], runs: &[String]) -> Table {
    let settings: Vec<Vec<(String, String)>> =
        reports.iter().map(|report| flattened(&report.settings)).collect();
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in settings.iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let value = |settings: &[(String, String)], name: &str| {
        settings
            .iter()
            .find(|(other, _)| other == name)
            .map_or_else(String::new, |(_, v)| v.clone())
    };
    let row = |name: &String| {
        let values: Vec<String> = settings.iter().map(|settings| value(settings, name)).collect();
        let differ = values.iter().any(|value| *value != values[0]);
        differ.then(|| TableRow {
            name: name.clone(),
            cells: values.into_iter().map(Cell::Text).collect(),
        })
    };
    let rows = names.into_iter().filter_map(row).collect();
    Table { title: "Settings that differ".to_owned(), columns: runs.to_vec(), rows }
}
