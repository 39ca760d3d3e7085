//! The scale of a plot.

/// A scale with round ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
}

impl Axis {
    /// The smallest scale that holds all numbers between round ticks, about five of them.
    pub(super) fn over(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
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

    /// Where a number lies, 0 at the lower end and 1 at the upper.
    pub(super) fn place(&self, number: f64) -> f64 {
        ((number - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The ticks, each with its text.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        let tick = |index: usize| self.low + index as f64 * self.step;
        // Adding nothing turns a negative zero into a plain one.
        let text =
            |number: f64| format!("{:.decimals$}", (number / self.step).round() * self.step + 0.0);
        (0..=count).map(|index| (tick(index), text(tick(index)))).collect()
    }
}

/// The next of 1, 2 and 5 times a power of ten.
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
