//! A plot in pixels.

use maud::{Markup, html};

use super::axis::Axis;
use super::{Plot, SERIES};
use crate::interval::Estimate;
use crate::report::Unit;
use crate::report::number::{Style, scaled};
use crate::report::terminal::cut;

/// Where things stand, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    axis: Axis,
    /// The left and right ends of the scale.
    left: f64,
    right: f64,
    /// Where the rows begin.
    top: f64,
    row_height: f64,
    /// The height of a row's name, if it stands above the row.
    name_height: f64,
    pub(super) height: f64,
    /// Each series in the legend: where its mark stands.
    legend: Vec<(f64, f64)>,
}

/// A letter of a wide font.
const LETTER: f64 = 7.4;
/// Between the series of a row, and between the lines of the legend.
const LINE: f64 = 16.0;
/// Longest name of a row beside it.
const NAME: usize = 32;
/// From this width on, the names of rows stand beside them.
const WIDE: u32 = 560;
const MARGIN: f64 = 22.0;

impl Layout {
    pub(super) fn of(plot: &Plot, width: u32) -> Option<Self> {
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

    pub(super) fn legend(&self, plot: &Plot) -> Markup {
        html! {
            @for (series, &(x, y)) in self.legend.iter().enumerate() {
                g class=(class(series)) { (mark(series, x, y)) }
                text x=(px(x + 10.0)) y=(px(y + 4.5)) { (plot.series[series]) }
            }
        }
    }

    /// The lines of the scale, named at the bottom.
    pub(super) fn scale(&self, unit: Unit) -> Markup {
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

    pub(super) fn row(
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

/// Where the marks of the legend stand, line after line; none for a single series.
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

/// A mark whose shape tells series apart without their colors.
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
