//! Estimates with 95 % confidence intervals.

use std::fmt;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// A number with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number; none if there was nothing to measure.
    pub value: Option<f64>,
    /// The lower end of the interval.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
}

impl Estimate {
    /// A number without an interval.
    #[must_use]
    pub const fn exactly(value: f64) -> Self {
        Self { value: Some(value), low: None, high: None }
    }

    /// Whether this interval lies completely below the other.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        matches!((self.high, other.low), (Some(high), Some(low)) if high < low)
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.low, self.high) {
            (Some(value), Some(low), Some(high)) => {
                write!(f, "{value:.3} [{low:.3}, {high:.3}]")
            }
            (Some(value), ..) => write!(f, "{value:.3}"),
            _ => write!(f, "-"),
        }
    }
}

/// The share of `hits` in `total` with Wilson's score interval (Wilson, 1927).
#[must_use]
pub fn wilson(hits: usize, total: usize) -> Estimate {
    /// The 97.5th percentile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if total == 0 {
        return Estimate { value: None, low: None, high: None };
    }
    let (n, p) = (total as f64, hits as f64 / total as f64);
    let scale = 1.0 + Z * Z / n;
    let center = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let (low, high) = ((center - half).max(0.0), (center + half).min(1.0));
    Estimate { value: Some(p), low: Some(low), high: Some(high) }
}

/// A bootstrap over images. All answers about an image are resampled together, because their errors are correlated.
#[derive(Debug, Clone, Copy)]
pub struct Bootstrap {
    /// The number of resamples.
    pub resamples: usize,
    /// The seed.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, seed: 0 }
    }
}

impl Bootstrap {
    /// A statistic of the sums over all images, with the percentile interval of its resamples.
    ///
    /// `images` holds the numbers of each image that are summed. Resamples for which the statistic is not defined are
    /// left out.
    #[must_use]
    pub fn estimate<const N: usize>(
        &self,
        images: &[[f64; N]],
        statistic: impl Fn([f64; N]) -> Option<f64>,
    ) -> Estimate {
        let value = statistic(sums(images.iter()));
        if images.is_empty() {
            return Estimate { value, low: None, high: None };
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut values: Vec<f64> = (0..self.resamples)
            .filter_map(|_| {
                let drawn = (0..images.len()).map(|_| rng.random_range(0..images.len()));
                statistic(sums(drawn.map(|index| &images[index])))
            })
            .collect();
        values.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = values.len().checked_sub(1)?;
            values.get((part * last as f64).round() as usize).copied()
        };
        Estimate { value, low: at(0.025), high: at(0.975) }
    }
}

fn sums<'a, const N: usize>(images: impl Iterator<Item = &'a [f64; N]>) -> [f64; N] {
    let mut total = [0.0; N];
    for image in images {
        for (sum, value) in total.iter_mut().zip(image) {
            *sum += value;
        }
    }
    total
}

/// `numerator / denominator`; none if the denominator is 0.
#[must_use]
pub fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator != 0.0).then(|| numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Wilson (1927), worked out with Python's `statistics.NormalDist`.
        let cases = [
            (5, 10, 0.236_593_090_5, 0.763_406_909_5),
            (0, 10, 0.0, 0.277_532_799_9),
            (475, 500, 0.927_231_838_8, 0.965_906_254_8),
        ];
        for (hits, total, low, high) in cases {
            let found = wilson(hits, total);
            assert!((found.low.unwrap() - low).abs() < 1e-9, "{hits}/{total}: {found:?}");
            assert!((found.high.unwrap() - high).abs() < 1e-9, "{hits}/{total}: {found:?}");
        }
        assert_eq!(wilson(0, 0).value, None);
    }

    #[test]
    fn the_bootstrap_is_seeded_and_covers_the_value() {
        let images: Vec<[f64; 2]> = (0..100).map(|i| [f64::from(i % 4), 4.0]).collect();
        let part = |[hits, total]: [f64; 2]| ratio(hits, total);
        let found = Bootstrap::default().estimate(&images, part);
        assert_eq!(found.value, Some(0.375));
        assert!(found.low.unwrap() < 0.375 && found.high.unwrap() > 0.375);
        assert!(found.high.unwrap() - found.low.unwrap() < 0.15);
        assert_eq!(found, Bootstrap::default().estimate(&images, part));
        assert_eq!(Bootstrap::default().estimate(&[], part).value, None);
    }
}
