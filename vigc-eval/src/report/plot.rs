//! Plots of estimates with their intervals, as SVG.

use maud::{Markup, PreEscaped, html};

use super::findings::{Cell, Table, Unit};
use super::number::{Style, scaled};
use super::terminal::cut;
use crate::interval::Estimate;

/// The styles of a plot, with colors for light and dark schemes.
pub(super) const STYLE: &str = include_str!("assets/plot.css");

/// The most series in a plot; each has its own color.
const SERIES: usize = 8;
/// The most rows in a plot. Longer tables are shown as tables only.
const ROWS: usize = 60;

/// Estimates as dots with their intervals as bars, one row for each subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// How its numbers are shown.
    pub unit: Unit,
    /// The names of the estimates in a row. A single one is not named in the plot.
    pub series: Vec<String>,
    /// The name of each row, and its estimate for each series if it has one.
    pub rows: Vec<(String, Vec<Option<Estimate>>)>,
}

impl Plot {
    /// The plots of a table: one of its shares, and one for each column of scores.
    ///
    /// A table of more than 60 rows has no plots.
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

    /// Whether it has rows, but not too many.
    pub(super) fn is_readable(&self) -> bool {
        (1..=ROWS).contains(&self.rows.len())
    }

    /// The estimates of one unit in these columns.
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

    /// The plot as an SVG file, with light or dark colors according to the reader's system.
    ///
    /// `width` is in pixels. Below 560 the names of rows are above them instead of beside them.
    #[must_use]
    pub fn to_svg(&self, width: u32) -> String {
        self.drawing(width, None).into_string()
    }

    /// The plot for a page, with a CSS class, or for a file of its own.
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

    /// The description for readers who do not see the plot.
    fn description(&self) -> String {
        format!("{}: estimates with 95 % intervals, {} rows.", self.title, self.rows.len())
    }

    /// All numbers on the scale on which they are shown.
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

/// The positions of the parts of a plot, in pixels.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    axis: Axis,
    /// The left and right ends of the scale.
    left: f64,
    right: f64,
    /// The top of the first row.
    top: f64,
    row_height: f64,
    /// The height of a row's name if it is above the row, else 0.
    name_height: f64,
    height: f64,
    /// The position of each series' mark in the legend.
    legend: Vec<(f64, f64)>,
}

/// The width of a letter of a wide font.
const LETTER: f64 = 7.4;
/// The distance between the series of a row, and between the lines of the legend.
const LINE: f64 = 16.0;
/// The longest row name, in characters, that is shown beside its row.
const NAME: usize = 32;
/// From this width on, the names of rows are beside them.
const WIDE: u32 = 560;
const MARGIN: f64 = 22.0;

impl Layout {
    fn of(plot: &Plot, width: u32) -> Option<Self> {
        let axis = Axis::over(plot.numbers())?;
        let longest = plot.rows.iter().map(|(name, _)| name.chars().count().min(NAME)).max()?;
        let is_wide = width >= WIDE;
        let name_height = if is_wide { 0.0 } else { LINE };
        let left = if is_wide { longest as f64 * LETTER + 2.0 * LETTER } else { MARGIN };
        let legend = legend_places(&plot.series, left, f64::from(width));
        let top = legend.last().map_or(4.0, |(_, y)| y + LINE);
        let row_height = name_height + plot.series.len() as f64 * LINE + 8.0;
        let height = top + plot.rows.len() as f64 * row_height + 24.0;
        let right = f64::from(width) - MARGIN;
        Some(Self { axis, left, right, top, row_height, name_height, height, legend })
    }

    fn x(&self, number: f64) -> f64 {
        self.left + self.axis.place(number) * (self.right - self.left)
    }

    fn legend(&self, plot: &Plot) -> Markup {
        html! {
            @for (series, &(x, y)) in self.legend.iter().enumerate() {
                g class=(class(series)) { (mark(series, x, y)) }
                text x=(px(x + 10.0)) y=(px(y + 4.5)) { (plot.series[series]) }
            }
        }
    }

    /// The lines of the scale, with their numbers at the bottom.
    fn scale(&self, unit: Unit) -> Markup {
        let bottom = self.height - 22.0;
        let sign = if unit == Unit::Share { "%" } else { "" };
        html! {
            @for (tick, text) in self.axis.ticks() {
                @let x = px(self.x(tick));
                line class="tick" x1=(x) x2=(x) y1=(px(self.top)) y2=(px(bottom)) {}
                text class="tick" x=(x) y=(px(bottom + 16.0)) { (text) (sign) }
            }
        }
    }

    fn row(
        &self,
        plot: &Plot,
        index: usize,
        (name, points): &(String, Vec<Option<Estimate>>),
    ) -> Markup {
        let top = self.top + index as f64 * self.row_height;
        let first = top + self.name_height + LINE / 2.0 + 4.0;
        html! {
            @if index > 0 {
                line class="rule" x1="0" x2=(px(self.right + MARGIN)) y1=(px(top)) y2=(px(top)) {}
            }
            (self.name(name, top))
            @for (series, (name_of_series, point)) in plot.series.iter().zip(points).enumerate() {
                @if let Some(point) = point {
                    g class=(class(series)) {
                        title { (name) ", " (name_of_series) ": " (shown(plot.unit, point)) }
                        (self.point(plot.unit, series, point, first + series as f64 * LINE))
                    }
                }
            }
        }
    }

    /// A row's name, beside or above its marks.
    fn name(&self, name: &str, top: f64) -> Markup {
        let is_beside = self.name_height == 0.0;
        let (x, y, longest) = match is_beside {
            true => (self.left - LETTER, top + self.row_height / 2.0 + 4.5, NAME),
            false => (0.0, top + self.name_height, (self.right / LETTER) as usize),
        };
        html! {
            text class=[is_beside.then_some("beside")] x=(px(x)) y=(px(y)) { (cut(name, longest)) }
        }
    }

    fn point(&self, unit: Unit, series: usize, point: &Estimate, y: f64) -> Markup {
        let x = |number: f64| self.x(scaled(unit, number));
        let ends = point.low.zip(point.high).map(|(low, high)| (px(x(low)), px(x(high))));
        html! {
            @if let Some((low, high)) = ends {
                line class="interval" x1=(low) x2=(high) y1=(px(y)) y2=(px(y)) {}
            }
            @if let Some(value) = point.value { (mark(series, x(value), y)) }
        }
    }
}

/// The positions of the marks of the legend, line by line; none for a single series.
fn legend_places(series: &[String], left: f64, width: f64) -> Vec<(f64, f64)> {
    if series.len() < 2 {
        return Vec::new();
    }
    let start = left.min(width / 4.0);
    let (mut x, mut y) = (start + 6.0, LINE);
    series
        .iter()
        .map(|name| {
            let needed = name.chars().count() as f64 * LETTER + 34.0;
            if x + needed > width && x > start + 6.0 {
                (x, y) = (start + 6.0, y + LINE + 2.0);
            }
            let place = (x, y);
            x += needed;
            place
        })
        .collect()
}

/// A mark. Its shape tells series apart without colors.
fn mark(series: usize, x: f64, y: f64) -> Markup {
    let (left, right, up, down) = (px(x - 5.0), px(x + 5.0), px(y - 5.0), px(y + 5.0));
    let (x, y) = (px(x), px(y));
    match series % 4 {
        0 => html! { circle cx=(x) cy=(y) r="4.5" {} },
        1 => html! { path d={ "M" (left) " " (up) "H" (right) "V" (down) "H" (left) "Z" } {} },
        2 => {
            html! { path d={ "M" (x) " " (up) "L" (right) " " (y) "L" (x) " " (down) "L" (left) " " (y) "Z" } {} }
        }
        _ => html! { path d={ "M" (x) " " (up) "L" (right) " " (down) "H" (left) "Z" } {} },
    }
}

fn class(series: usize) -> String {
    format!("series s{}", series % SERIES)
}

fn shown(unit: Unit, estimate: &Estimate) -> String {
    Style::of(unit, [estimate]).signed().parts(estimate).joined()
}

fn px(number: f64) -> String {
    format!("{number:.1}")
}

/// A scale with round ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// The smallest scale with about five round ticks that holds all numbers.
    fn over(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        /// Steps between ticks.
        const STEPS: f64 = 5.0;
        let finite = numbers.into_iter().filter(|number| number.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
            (low.min(number), high.max(number))
        });
        if low > high {
            return None;
        }
        // A single number gets room on both sides.
        let span = if high > low { high - low } else { low.abs().max(1.0) / 2.0 };
        let step = round_step(span / STEPS);
        let mut axis = Self { low: (low / step).floor(), high: (high / step).ceil(), step };
        if high <= low {
            (axis.low, axis.high) = (axis.low - 1.0, axis.high + 1.0);
        }
        Some(Self { low: axis.low * step, high: axis.high * step, step })
    }

    /// The place of a number, from 0 at the lower end to 1 at the upper end.
    fn place(&self, number: f64) -> f64 {
        ((number - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The ticks with their texts.
    fn ticks(&self) -> Vec<(f64, String)> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        let tick = |index: usize| self.low + index as f64 * self.step;
        // Adding 0 turns a negative zero into a positive one.
        let text =
            |number: f64| format!("{:.decimals$}", (number / self.step).round() * self.step + 0.0);
        (0..=count).map(|index| (tick(index), text(tick(index)))).collect()
    }
}

/// The next larger number that is 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let fits = |factor: &&f64| **factor * power >= step * (1.0 - 1e-9);
    factors.iter().find(fits).unwrap_or(&10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_hold_their_numbers_between_round_ticks() {
        let cases: [(&[f64], &[&str]); 5] = [
            (&[60.2, 65.9], &["60", "62", "64", "66"]),
            (&[0.0, 100.0], &["0", "20", "40", "60", "80", "100"]),
            (&[-0.06, 0.02], &["-0.06", "-0.04", "-0.02", "0.00", "0.02"]),
            (&[3.0], &["2.5", "3.0", "3.5"]),
            (&[0.0], &["-0.1", "0.0", "0.1"]),
        ];
        for (numbers, expected) in cases {
            let axis = Axis::over(numbers.iter().copied()).unwrap();
            let texts: Vec<String> = axis.ticks().into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts, expected, "{numbers:?}");
        }
        assert_eq!(Axis::over([f64::NAN]), None);
    }

    #[test]
    fn places_are_parts_of_the_scale() {
        let axis = Axis::over([0.0, 50.0]).unwrap();
        assert_eq!([0.0, 12.5, 50.0, 99.0].map(|number| axis.place(number)), [0.0, 0.25, 1.0, 1.0]);
    }
}
