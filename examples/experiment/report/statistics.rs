//! Means over seeds with 95 % intervals.

use std::fmt;

/// The 97.5th percentiles of Student's distribution with 1 to 30 degrees of freedom; NIST/SEMATECH e-Handbook of
/// Statistical Methods, table 1.3.6.7.2.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mean {
    pub(super) value: f64,
    /// Half the width of the interval; none with a single seed.
    pub(super) half: Option<f64>,
    /// How many seeds.
    pub(super) seeds: usize,
    /// Whether other numbers are of more seeds.
    pub(super) partial: bool,
}

impl Mean {
    /// The mean of numbers, one a seed; none of none.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let seeds = values.len();
        if seeds == 0 {
            return None;
        }
        let count = seeds as f64;
        let value = values.iter().sum::<f64>() / count;
        let half = (seeds > 1).then(|| {
            let squares: f64 = values.iter().map(|x| (x - value).powi(2)).sum();
            let error = (squares / (count - 1.0) / count).sqrt();
            STUDENT[(seeds - 2).min(STUDENT.len() - 1)] * error
        });
        Some(Self { value, half, seeds, partial: false })
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.sign_plus() {
            true => write!(f, "{:+.1}", self.value)?,
            false => write!(f, "{:.1}", self.value)?,
        }
        if let Some(half) = self.half {
            write!(f, "±{half:.1}")?;
        }
        f.write_str(if self.partial { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_students_distribution() {
        // scipy.stats.t.interval(0.95, 2, loc=mean, scale=scipy.stats.sem([1, 2, 6])): 3 ± 6.5724.
        let mean = Mean::of(&[1.0, 2.0, 6.0]).unwrap();
        assert!((mean.value - 3.0).abs() < 1e-12 && (mean.half.unwrap() - 6.5724).abs() < 2e-3);
        assert_eq!(format!("{mean}"), "3.0±6.6");
        assert_eq!(format!("{mean:+}"), "+3.0±6.6");
        assert_eq!(Mean::of(&[2.0]).unwrap().half, None);
        assert_eq!(Mean::of(&[]), None);
    }
}
