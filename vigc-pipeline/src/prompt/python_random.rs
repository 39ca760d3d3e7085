//! What Python's module `random` draws.

use rand_mt::Mt;

/// `random.seed(seed)`, then `random.random()` again and again.
#[derive(Debug, Clone)]
pub(crate) struct PythonRandom(Mt);

impl PythonRandom {
    pub(crate) fn new(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        Self(Mt::new_with_key([low, high].into_iter().take(if high == 0 { 1 } else { 2 })))
    }

    /// A number of 53 bits from 0 to, but not including, 1.
    fn random(&mut self) -> f64 {
        let (high, low) = (self.0.next_u32() >> 5, self.0.next_u32() >> 6);
        (f64::from(high) * f64::from(1 << 26) + f64::from(low))
            / f64::from(1 << 26)
            / f64::from(1 << 27)
    }

    /// The place that `random.choices` draws by these weights.
    pub(crate) fn choice(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total = weights.clone().map(f64::from).sum::<f64>();
        let drawn = self.random() * total;
        let mut sum = 0.0;
        let reached = weights.clone().position(|weight| {
            sum += f64::from(weight);
            sum > drawn
        });
        reached.unwrap_or_else(|| weights.count().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pythons() {
        let first = |seed| {
            let mut draw = PythonRandom::new(seed);
            [draw.random(), draw.random()]
        };
        assert_eq!(first(42), [0.639_426_798_457_883_7, 0.025_010_755_222_666_936]);
        assert_eq!(first(0), [0.844_421_851_525_048_1, 0.757_954_402_940_302_5]);
        assert_eq!(first(1 << 40), [0.1036394562812375, 0.6705558677439764]);
    }

    #[test]
    fn choices_are_pythons() {
        let mut draw = PythonRandom::new(42);
        let places = std::array::from_fn(|_| draw.choice([5, 1, 3].into_iter()));
        assert_eq!(places, [1, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    }
}
