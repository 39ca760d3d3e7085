//! Numbers in short.

use serde::{Deserialize, Serialize};

/// A set of numbers in short. Quantiles are numbers of the set: the smallest that so large a part of it does not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many numbers there are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// A twentieth is not larger.
    pub p5: f64,
    /// A quarter is not larger.
    pub p25: f64,
    /// A half is not larger.
    pub median: f64,
    /// Three quarters are not larger.
    pub p75: f64,
    /// All but a twentieth are not larger.
    pub p95: f64,
    /// The largest.
    pub max: f64,
}

impl Distribution {
    /// Of numbers in ascending order, each with how often it comes. Nothing if there are none.
    pub(super) fn of(numbers: &[(f64, u64)]) -> Option<Self> {
        let count = numbers.iter().map(|(_, times)| times).sum::<u64>();
        let sum = numbers.iter().map(|&(number, times)| number * times as f64).sum::<f64>();
        let quantile = |part: f64| {
            let rank = (part * count as f64).ceil().max(1.0) as u64;
            let mut passed = 0;
            let found = numbers.iter().find(|(_, times)| {
                passed += times;
                passed >= rank
            });
            found.map(|&(number, _)| number)
        };
        Some(Self {
            count,
            mean: sum / count as f64,
            min: quantile(0.0)?,
            p5: quantile(0.05)?,
            p25: quantile(0.25)?,
            median: quantile(0.5)?,
            p75: quantile(0.75)?,
            p95: quantile(0.95)?,
            max: quantile(1.0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numbers_of_the_set() {
        let numbers = [(1.0, 2), (2.0, 1), (10.0, 1)];
        let found = Distribution::of(&numbers).unwrap();
        assert_eq!((found.count, found.mean, found.min, found.max), (4, 3.5, 1.0, 10.0));
        assert_eq!(
            (found.p5, found.p25, found.median, found.p75, found.p95),
            (1.0, 1.0, 1.0, 2.0, 10.0)
        );
        assert_eq!(Distribution::of(&[]), None);
    }
}
