//! Plots of estimates with their intervals, as SVG.

mod axis;
mod layout;

use std::path::Path;

use maud::{Markup, PreEscaped, html};
use vigc_core::files::write_atomic;

use self::layout::Layout;
use super::number::scaled;
use super::{Cell, Table, Unit};
use crate::interval::Estimate;
use vigc_pipeline::Result;

/// Colors in the reader's scheme, and what is drawn in them.
pub(super) const STYLE: &str =
    concat!(include_str!("plot/colors.css"), include_str!("plot/plot.css"));

/// Most series of a plot; each has a color of its own.
const SERIES: usize = 8;
/// Most rows of a plot; longer tables are read as tables.
const ROWS: usize = 60;

/// Estimates as dots with their intervals as bars, a row for each subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// How its numbers are shown.
    pub unit: Unit,
    /// The names of the estimates of a row. A single one is not named in the plot.
    pub series: Vec<String>,
    /// Each row's name, and an estimate for each series that it has one of.
    pub rows: Vec<(String, Vec<Option<Estimate>>)>,
}

impl Plot {
    /// The plots of a table: one of its shares, and one for each column of scores.
    ///
    /// Tables of more than 60 rows have none.
    #[must_use]
    pub fn of(table: &Table) -> Vec<Self> {
        let columns: Vec<usize> = (0..table.columns.len()).collect();
        let shares: Vec<usize> =
            columns.iter().copied().filter(|&index| holds(table, index, Unit::Share)).collect();
        let mut plots: Vec<Self> = shares
            .chunks(SERIES)
            .map(|columns| Self::of_columns(table, Unit::Share, columns))
            .collect();
        for column in columns.into_iter().filter(|&index| holds(table, index, Unit::Score)) {
            plots.push(Self::of_columns(table, Unit::Score, &[column]));
        }
        plots.retain(Self::is_readable);
        plots
    }

    /// Whether it holds something, and not too much.
    pub(super) fn is_readable(&self) -> bool {
        (1..=ROWS).contains(&self.rows.len())
    }

    /// The estimates of one unit in some columns.
    pub(super) fn of_columns(table: &Table, unit: Unit, columns: &[usize]) -> Self {
        let series: Vec<String> = columns.iter().map(|&i| table.columns[i].clone()).collect();
        let title = match series.as_slice() {
            [only] => format!("{}: {only}", table.title),
            _ => table.title.clone(),
        };
        let rows = table.rows.iter().map(|row| {
            let points = columns.iter().map(|&index| point(row.cells.get(index)?, unit));
            (row.name.clone(), points.collect::<Vec<_>>())
        });
        let rows = rows.filter(|(_, points)| points.iter().any(Option::is_some)).collect();
        Self { title, unit, series, rows }
    }

    /// A file of its own, in light or dark colors as the reader's system says.
    ///
    /// `width` is in pixels; below 560 the names of rows stand above them.
    #[must_use]
    pub fn to_svg(&self, width: u32) -> String {
        self.drawing(width, None).into_string()
    }

    /// Writes [`to_svg`](Self::to_svg) to a file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<Path>, width: u32) -> Result<()> {
        Ok(write_atomic(path, self.to_svg(width).as_bytes())?)
    }

    /// The plot for a page, of a class, or for a file of its own.
    pub(super) fn drawing(&self, width: u32, class: Option<&str>) -> Markup {
        let Some(layout) = Layout::of(self, width) else { return Markup::default() };
        let is_file = class.is_none();
        let size = format!("0 0 {width} {:.0}", layout.height);
        let namespace = is_file.then_some("http://www.w3.org/2000/svg");
        let (pixels, label) = (is_file.then_some(width), self.description());
        html! {
            svg class={ "plot " (class.unwrap_or_default()) } xmlns=[namespace] width=[pixels] viewBox=(size) role="img" aria-label=(label) {
                @if is_file { style { (PreEscaped(STYLE)) } }
                (layout.legend(self))
                (layout.scale(self.unit))
                @for (index, row) in self.rows.iter().enumerate() { (layout.row(self, index, row)) }
            }
        }
    }

    /// What stands for the plot where it is not seen.
    fn description(&self) -> String {
        format!("{}: estimates with 95 % intervals, {} rows.", self.title, self.rows.len())
    }

    /// All numbers at the scale that they are shown in.
    fn numbers(&self) -> impl Iterator<Item = f64> {
        let points = self.rows.iter().flat_map(|(_, points)| points).flatten();
        let numbers = points.flat_map(|point| [point.value, point.low, point.high]).flatten();
        numbers.map(|number| scaled(self.unit, number))
    }
}

fn holds(table: &Table, column: usize, unit: Unit) -> bool {
    table.rows.iter().any(|row| row.cells.get(column).is_some_and(|c| point(c, unit).is_some()))
}

fn point(cell: &Cell, unit: Unit) -> Option<Estimate> {
    match cell {
        Cell::Estimate { unit: own, estimate } if *own == unit && estimate.value.is_some() => {
            Some(*estimate)
        }
        _ => None,
    }
}
