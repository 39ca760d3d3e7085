//! Tables as aligned text.

use std::fmt;

use super::findings::{Cell, Metric, Report, Table};
use super::number::{Column, Parts, Style};

/// The number of characters in a line of displayed text.
pub(super) const WIDTH: usize = 100;

/// Spaces between columns.
const GAP: &str = "  ";

impl Report {
    /// The metrics and tables, aligned for a terminal of `width` characters.
    ///
    /// Columns that do not fit follow below.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let heading = format!("{} · {}\n", self.suite, self.model);
        let tables = self.tables.iter().map(|table| self::table(table, width));
        let parts = [heading, metrics(&self.metrics)].into_iter().chain(tables);
        parts.collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(WIDTH))
    }
}

/// The metrics, one per line.
fn metrics(metrics: &[Metric]) -> String {
    let parts: Vec<Parts> = metrics
        .iter()
        .map(|metric| Style::of(metric.unit, [&metric.estimate]).signed().parts(&metric.estimate))
        .collect();
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    let columns = [padded(&names), aligned(&parts, false)];
    lines(&columns.iter().collect::<Vec<_>>())
}

/// A table. Columns that do not fit into `width` follow below, with the row names repeated.
pub(super) fn table(table: &Table, width: usize) -> String {
    let longest = (width / 3).max(12);
    let names = table.rows.iter().map(|row| cut(&row.name, longest));
    let names = column("", names.collect(), false);
    let rest = width.saturating_sub(width_of(&names) + GAP.len()).max(longest);
    let columns: Vec<Vec<String>> = (0..table.columns.len())
        .map(|index| {
            let column = Column::of(table, index);
            cells(&column, table.rows.iter().map(|row| row.cells.get(index)).collect(), rest)
        })
        .collect();
    let blocks = blocks(&names, &columns, width);
    format!("{}\n{}", table.title, blocks.join("\n"))
}

/// Blocks of columns, each with as many columns as fit.
fn blocks(names: &[String], columns: &[Vec<String>], width: usize) -> Vec<String> {
    let (mut blocks, mut block, mut taken) = (Vec::new(), vec![names], width_of(names));
    for column in columns {
        let added = GAP.len() + width_of(column);
        if taken + added > width && block.len() > 1 {
            blocks.push(lines(&std::mem::replace(&mut block, vec![names])));
            taken = width_of(names);
        }
        taken += added;
        block.push(column);
    }
    blocks.push(lines(&block));
    blocks
}

fn width_of(column: &[String]) -> usize {
    column.first().map_or(0, |line| line.chars().count())
}

/// The lines of a column: heading, rule and cells, all of one width. Texts are cut after `longest` characters.
fn cells(style: &Column, cells: Vec<Option<&Cell>>, longest: usize) -> Vec<String> {
    let is_text = |cell: &Option<&Cell>| matches!(cell, Some(Cell::Text(_)) | None);
    let parts = |cell: &&Cell| style.parts(cell);
    let numbers: Vec<Parts> =
        cells.iter().filter(|cell| !is_text(cell)).flatten().map(parts).collect();
    let mut numbers = aligned(&numbers, style.is_even).into_iter();
    let line = |cell: Option<&Cell>| match cell {
        Some(Cell::Text(text)) => cut(text, longest),
        Some(_) => numbers.next().unwrap_or_default(),
        None => String::new(),
    };
    column(&style.heading, cells.into_iter().map(line).collect(), style.is_of_counts)
}

fn column(heading: &str, cells: Vec<String>, to_the_right: bool) -> Vec<String> {
    let longest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let width = longest.max(heading.chars().count());
    let rule = "─".repeat(width);
    let lines = [heading.to_owned(), rule].into_iter().chain(cells);
    let pad = |line: String| match to_the_right {
        true => format!("{line:>width$}"),
        false => format!("{line:<width$}"),
    };
    lines.map(pad).collect()
}

/// Numbers with their values aligned, and the ends of their intervals too if `is_even`.
fn aligned(parts: &[Parts], is_even: bool) -> Vec<String> {
    let widest = |part: &dyn Fn(&Parts) -> usize| parts.iter().map(part).max().unwrap_or(0);
    let value = widest(&|parts| parts.value.chars().count());
    let end = |index: usize| {
        let length = |parts: &Parts| parts.interval.as_ref().map_or(0, |ends| ends[index].len());
        if is_even { widest(&length) } else { 0 }
    };
    let (low_width, high_width) = (end(0), end(1));
    let line = |parts: &Parts| {
        let text = format!("{:>value$}", parts.value);
        match &parts.interval {
            Some([low, high]) => format!("{text} [{low:>low_width$}, {high:>high_width$}]"),
            None => text,
        }
    };
    padded(&parts.iter().map(line).collect::<Vec<_>>())
}

/// Texts, padded to the same width.
fn padded(texts: &[impl AsRef<str>]) -> Vec<String> {
    let width = texts.iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0);
    texts.iter().map(|text| format!("{:<width$}", text.as_ref())).collect()
}

fn lines(columns: &[impl AsRef<[String]>]) -> String {
    let count = columns.first().map_or(0, |column| column.as_ref().len());
    let mut text = String::new();
    for line in 0..count {
        let cells: Vec<&str> =
            columns.iter().map(|column| column.as_ref()[line].as_str()).collect();
        text += cells.join(GAP).trim_end();
        text.push('\n');
    }
    text
}

/// A text on one line of at most `longest` characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(longest) {
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
        None => text,
    }
}
