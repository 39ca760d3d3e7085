//! Everything that was measured, to be asked by student, condition and metric.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::Outcome;
use super::statistics::Mean;

/// Metrics by seed.
type Seeds<'a> = BTreeMap<u64, &'a BTreeMap<String, f64>>;

/// The measurements of all seeds.
#[derive(Debug)]
pub(super) struct Measured<'a> {
    /// By student and condition.
    found: BTreeMap<(&'a str, &'a str), Seeds<'a>>,
}

impl<'a> Measured<'a> {
    pub(super) fn new(outcomes: &'a [Outcome]) -> Self {
        let mut found: BTreeMap<_, Seeds<'_>> = BTreeMap::new();
        for outcome in outcomes {
            let key = (outcome.student.as_str(), outcome.condition.as_str());
            found.entry(key).or_default().insert(outcome.seed, &outcome.metrics);
        }
        Self { found }
    }

    /// The seeds that anything was measured with.
    pub(super) fn seeds(&self) -> BTreeSet<u64> {
        self.found.values().flat_map(|seeds| seeds.keys().copied()).collect()
    }

    /// Whether anything of a student is known under a condition.
    pub(super) fn has(&self, student: &str, condition: &str) -> bool {
        self.found.contains_key(&(student, condition))
    }

    /// A metric by seed.
    fn values(&self, student: &str, condition: &str, metric: &str) -> BTreeMap<u64, f64> {
        let seeds = self.found.get(&(student, condition)).into_iter().flatten();
        seeds.filter_map(|(&seed, metrics)| Some((seed, *metrics.get(metric)?))).collect()
    }

    /// A metric's mean.
    pub(super) fn mean(&self, student: &str, condition: &str, metric: &str) -> Option<Mean> {
        self.marked(&self.values(student, condition, metric).into_values().collect::<Vec<_>>())
    }

    fn marked(&self, values: &[f64]) -> Option<Mean> {
        let mean = Mean::of(values)?;
        Some(Mean { partial: mean.seeds < self.seeds().len(), ..mean })
    }

    /// How much a metric differs from that under another condition, with the same seeds; nothing from itself.
    pub(super) fn difference(
        &self,
        student: &str,
        condition: &str,
        other: &str,
        metric: &str,
    ) -> Option<Mean> {
        self.mean_difference(&[(student, condition, other)], metric)
    }

    /// The mean of several such differences, of those seeds that have all of them.
    pub(super) fn mean_difference(
        &self,
        pairs: &[(&str, &str, &str)],
        metric: &str,
    ) -> Option<Mean> {
        let of_pair = |&(student, condition, other): &(&str, &str, &str)| {
            let others = self.values(student, other, metric);
            let mut values = self.values(student, condition, metric);
            values.retain(|seed, _| condition != other && others.contains_key(seed));
            values.iter_mut().for_each(|(seed, value)| *value -= others[seed]);
            values
        };
        let differences: Vec<_> = pairs.iter().map(of_pair).collect();
        let mean = |seed: u64| {
            let of_seed = differences.iter().map(|values| values.get(&seed).copied());
            let of_seed = of_seed.collect::<Option<Vec<_>>>()?;
            Some(of_seed.iter().sum::<f64>() / of_seed.len() as f64)
        };
        self.marked(&self.seeds().into_iter().filter_map(mean).collect::<Vec<_>>())
    }
}
