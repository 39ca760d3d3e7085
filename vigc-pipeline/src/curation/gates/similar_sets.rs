//! An index of sets that finds all sets similar to a given one.

use std::collections::HashMap;
use std::ops::Range;

/// Marks the end of a list of sets.
const NONE: u32 = u32::MAX;

/// Sets of numbers, with an index by which the sets similar to another set are found.
///
/// Elements are ordered from rare to frequent. Two sets whose Jaccard similarity is at least `t` share at least
/// `t n` elements, where `n` is the size of either set. Each set therefore has a shared element among its first
/// `n - ⌈t n⌉ + 1`, and only these are indexed and looked up. Candidates are then compared element by element.
#[derive(Debug)]
pub(super) struct SimilarSets {
    threshold: f64,
    /// The elements of all sets, one set after the other, each in ascending order.
    elements: Vec<u32>,
    /// Where each set begins in `elements`.
    starts: Vec<usize>,
    /// For each element, the last entry of the linked list of sets that have it among their first elements.
    last: HashMap<u32, u32>,
    /// Entries of the linked lists: a set, and the previous entry of the same list.
    entries: Vec<(u32, u32)>,
}

impl SimilarSets {
    /// An empty index. Two sets are similar if their Jaccard similarity is at least `threshold`.
    pub(super) fn new(threshold: f64) -> Self {
        Self {
            threshold,
            elements: Vec::new(),
            starts: Vec::new(),
            last: HashMap::new(),
            entries: Vec::new(),
        }
    }

    /// Adds a set and numbers it in order, from 0. `count` returns how frequent an element is; it must not change
    /// between calls.
    pub(super) fn insert(&mut self, set: &[u32], count: impl Fn(u32) -> u32) {
        let number = self.starts.len() as u32;
        self.starts.push(self.elements.len());
        self.elements.extend(set);
        for element in self.first(set, count) {
            let entry = self.entries.len() as u32;
            let before = self.last.insert(element, entry).unwrap_or(NONE);
            self.entries.push((number, before));
        }
    }

    /// The numbers of the sets that are similar to `set`, in ascending order, with their similarities.
    pub(super) fn similar(
        &self,
        set: &[u32],
        count: impl Fn(u32) -> u32,
    ) -> impl Iterator<Item = (usize, f64)> {
        let mut candidates = Vec::new();
        for element in self.first(set, count) {
            let mut entry = self.last.get(&element).copied().unwrap_or(NONE);
            while let Some(&(number, before)) = self.entries.get(entry as usize) {
                candidates.push(number as usize);
                entry = before;
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().filter_map(move |number| {
            let jaccard = self.jaccard(set, &self.elements[self.range(number)])?;
            Some((number, jaccard))
        })
    }

    /// The rarest elements of a set, by which it is indexed.
    fn first(&self, set: &[u32], count: impl Fn(u32) -> u32) -> Vec<u32> {
        let mut ordered = set.to_vec();
        ordered.sort_unstable_by_key(|&element| (count(element), element));
        let shared = needed(self.threshold * set.len() as f64);
        ordered.truncate((set.len() + 1).saturating_sub(shared));
        ordered
    }

    fn range(&self, number: usize) -> Range<usize> {
        let end = self.starts.get(number + 1).copied().unwrap_or(self.elements.len());
        self.starts[number]..end
    }

    /// The similarity of two sets, if it reaches the threshold. Both must be in ascending order.
    fn jaccard(&self, a: &[u32], b: &[u32]) -> Option<f64> {
        let (small, large) = (a.len().min(b.len()), a.len().max(b.len()));
        if (small as f64) < self.threshold * large as f64 - ROUNDING {
            return None;
        }
        let mut rest = b;
        let shared = a.iter().filter(|&element| {
            rest = &rest[rest.partition_point(|other| other < element)..];
            rest.first() == Some(element)
        });
        let shared = shared.count();
        let jaccard = shared as f64 / (a.len() + b.len() - shared).max(1) as f64;
        (jaccard >= self.threshold - ROUNDING).then_some(jaccard)
    }
}

/// The tolerance for rounding errors in products of thresholds and sizes.
const ROUNDING: f64 = 1e-9;

/// The smallest whole number that is at least `least` and at least 1.
fn needed(least: f64) -> usize {
    ((least - ROUNDING).ceil() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::Rng;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// Random sets, many of which are variations of earlier ones.
    fn related(rng: &mut ChaCha8Rng, number: usize) -> Vec<Vec<u32>> {
        let mut sets: Vec<Vec<u32>> = Vec::new();
        for _ in 0..number {
            let mut set = BTreeSet::new();
            if !sets.is_empty() && rng.random_bool(0.7) {
                let parent = &sets[rng.random_range(0..sets.len())];
                let part = rng.random_range(0.5..1.0);
                set.extend(parent.iter().filter(|_| rng.random_bool(part)));
            }
            for _ in 0..rng.random_range(0..8) {
                // Some elements are far more frequent than others.
                let most = if rng.random_bool(0.5) { 6 } else { 1000 };
                set.insert(rng.random_range(0..most));
            }
            sets.push(set.into_iter().collect());
        }
        sets
    }

    fn jaccard(a: &[u32], b: &[u32]) -> f64 {
        let [a, b] = [a, b].map(|set| set.iter().collect::<BTreeSet<_>>());
        a.intersection(&b).count() as f64 / a.union(&b).count().max(1) as f64
    }

    #[test]
    fn all_similar_sets_are_found_and_no_others() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for threshold in [0.3, 0.5, 2.0 / 3.0, 0.8, 0.9, 1.0] {
            let sets = related(&mut rng, 300);
            let count = |element: u32| u32::from(element < 6) * 100;
            let mut index = SimilarSets::new(threshold);
            let mut pairs = 0;
            for (number, set) in sets.iter().enumerate() {
                let found = index.similar(set, count).map(|(other, _)| other).collect::<Vec<_>>();
                let alike = |&other: &usize| jaccard(set, &sets[other]) >= threshold - 1e-9;
                let expected = (0..number).filter(alike).collect::<Vec<_>>();
                assert_eq!(found, expected, "{threshold}: set {number}");
                pairs += found.len();
                index.insert(set, count);
            }
            assert!(pairs >= 10, "{threshold}: only {pairs} pairs");
        }
    }
}
