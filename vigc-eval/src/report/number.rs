//! How numbers are written for readers.

use super::findings::{Cell, Table, Unit};
use crate::interval::Estimate;

/// Shown in place of a number that does not exist.
pub(super) const NOTHING: &str = "–";

/// How the numbers of a column, or a single number, are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    unit: Unit,
    decimals: usize,
    /// Whether a share has a percent sign. In a column of shares the heading has it.
    signed: bool,
}

/// The parts of an estimate, by which a column is aligned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) value: String,
    /// Both ends of the interval, if it has one.
    pub(super) interval: Option<[String; 2]>,
}

impl Style {
    /// The style of numbers that are shown together. Scores below 10 have three decimals, others one.
    pub(super) fn of<'a>(unit: Unit, estimates: impl IntoIterator<Item = &'a Estimate>) -> Self {
        let numbers = |estimate: &'a Estimate| [estimate.value, estimate.low, estimate.high];
        let largest = estimates.into_iter().flat_map(numbers).flatten().map(f64::abs);
        let decimals = match unit {
            Unit::Score if largest.fold(0.0, f64::max) < 10.0 => 3,
            Unit::Share | Unit::Score => 1,
            Unit::Count => 0,
        };
        Self { unit, decimals, signed: false }
    }

    /// Adds a percent sign to shares.
    pub(super) fn signed(self) -> Self {
        Self { signed: true, ..self }
    }

    pub(super) fn parts(self, estimate: &Estimate) -> Parts {
        let Some(value) = estimate.value else {
            return Parts { value: NOTHING.to_owned(), interval: None };
        };
        let sign = if self.signed && self.unit == Unit::Share { "%" } else { "" };
        let interval = estimate.low.zip(estimate.high);
        Parts {
            value: self.number(value) + sign,
            interval: interval.map(|(low, high)| [self.number(low), self.number(high)]),
        }
    }

    /// A number without a percent sign, on the scale on which it is shown.
    pub(super) fn number(self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, scaled(self.unit, value));
        let is_zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
        let text = if is_zero { text.trim_start_matches('-') } else { &text };
        if self.unit == Unit::Count { grouped(text) } else { text.to_owned() }
    }
}

impl Parts {
    /// The number, followed by its interval in brackets.
    pub(super) fn joined(&self) -> String {
        match &self.interval {
            Some([low, high]) => format!("{} [{low}, {high}]", self.value),
            None => self.value.clone(),
        }
    }
}

/// A column of a table: its heading and how its numbers are written.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) heading: String,
    styles: [Style; 3],
    /// Whether all cells are counts.
    pub(super) is_of_counts: bool,
    /// Whether all estimates have the same unit, so that the ends of their intervals can be aligned.
    pub(super) is_even: bool,
}

impl Column {
    pub(super) fn of(table: &Table, index: usize) -> Self {
        let cells = || table.rows.iter().filter_map(move |row| row.cells.get(index));
        let style = |unit: Unit| {
            let estimates = cells().filter_map(move |cell| match cell {
                Cell::Estimate { unit: own, estimate } if *own == unit => Some(estimate),
                _ => None,
            });
            Style::of(unit, estimates)
        };
        let is_share = |cell| matches!(cell, &Cell::Estimate { unit: Unit::Share, .. });
        let all_shares = cells().next().is_some() && cells().all(is_share);
        let mut heading = table.columns.get(index).cloned().unwrap_or_default();
        let mut styles = [Unit::Share, Unit::Score, Unit::Count].map(style);
        if all_shares {
            heading += ", %";
        } else {
            styles = styles.map(Style::signed);
        }
        let is_of_counts = cells().all(|cell| matches!(cell, Cell::Count(_)));
        let unit = |cell: &Cell| match cell {
            Cell::Estimate { unit, .. } => Some(*unit),
            Cell::Count(_) | Cell::Text(_) => None,
        };
        let mut units = cells().filter_map(unit);
        let first = units.next();
        let is_even = units.all(|unit| Some(unit) == first);
        Self { heading, styles, is_of_counts, is_even }
    }

    pub(super) fn parts(&self, cell: &Cell) -> Parts {
        match cell {
            Cell::Estimate { unit, estimate } => {
                self.styles.iter().find(|style| style.unit == *unit).map(|s| s.parts(estimate))
            }
            Cell::Count(count) => {
                Some(Parts { value: grouped(&count.to_string()), interval: None })
            }
            Cell::Text(text) => Some(Parts { value: text.clone(), interval: None }),
        }
        .unwrap_or_default()
    }
}

/// A number on the scale on which it is shown.
pub(super) fn scaled(unit: Unit, value: f64) -> f64 {
    if unit == Unit::Share { value * 100.0 } else { value }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value: Some(value), low: Some(low), high: Some(high) }
    }

    #[test]
    fn units_have_their_scales_and_decimals() {
        let shown =
            |unit, estimate| Style::of(unit, [&estimate]).signed().parts(&estimate).joined();
        let cases = [
            (Unit::Share, estimate(0.6312, 0.602, 0.6594), "63.1% [60.2, 65.9]"),
            (Unit::Share, estimate(-0.0004, -0.01, 0.0), "0.0% [-1.0, 0.0]"),
            (Unit::Score, estimate(0.7212, 0.67, 0.77), "0.721 [0.670, 0.770]"),
            (Unit::Score, estimate(85.12, 82.0, 88.0), "85.1 [82.0, 88.0]"),
            (Unit::Count, Estimate { value: Some(5064.0), low: None, high: None }, "5,064"),
            (Unit::Share, Estimate { value: None, low: None, high: None }, NOTHING),
        ];
        for (unit, estimate, expected) in cases {
            assert_eq!(shown(unit, estimate), expected);
        }
    }

    #[test]
    fn digits_are_grouped_from_the_right() {
        for (digits, expected) in
            [("0", "0"), ("999", "999"), ("-1000", "-1,000"), ("1234567", "1,234,567")]
        {
            assert_eq!(grouped(digits), expected);
        }
    }
}
