//! First words of questions, drawn by their frequency so that generated questions are as varied as those of a data set
//! (`vqg_test.py`, `SAMPLE_PREFIX`).

use rand::Rng;
use rand_mt::Mt;

/// The words that questions of a data set begin with, and how many questions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionPrefixes(&'static [(&'static str, u32)]);

/// First words of OKVQA's questions.
pub const OKVQA: QuestionPrefixes = QuestionPrefixes(&[
    ("what", 5919),
    ("how", 580),
    ("is", 397),
    ("which", 335),
    ("where", 315),
    ("why", 246),
    ("who", 236),
    ("the", 132),
    ("when", 95),
    ("name", 86),
    ("in", 82),
    ("are", 79),
    ("can", 62),
    ("this", 59),
    ("what's", 55),
    ("if", 28),
    ("does", 28),
    ("would", 24),
    ("a", 20),
    ("these", 17),
    ("do", 15),
]);

/// First words of A-OKVQA's questions.
pub const A_OKVQA: QuestionPrefixes = QuestionPrefixes(&[
    ("what", 10943),
    ("why", 1342),
    ("how", 971),
    ("which", 757),
    ("the", 731),
    ("where", 692),
    ("who", 428),
    ("in", 220),
    ("this", 149),
    ("what's", 83),
    ("if", 76),
    ("when", 63),
    ("these", 53),
    ("from", 43),
    ("for", 42),
    ("at", 33),
    ("to", 30),
    ("a", 20),
    ("on", 19),
    ("based", 18),
    ("during", 18),
]);

impl QuestionPrefixes {
    /// Draws a word with the frequency of the data set.
    pub fn weighted(self, rng: &mut impl Rng) -> &'static str {
        let total = self.0.iter().map(|(_, count)| count).sum::<u32>();
        let mut rest = rng.random_range(0..total);
        for &(word, count) in self.0 {
            if rest < count {
                return word;
            }
            rest -= count;
        }
        unreachable!("the draw is less than the sum of the counts")
    }

    /// Draws a word as Python's `random.choices` does, by frequency or uniformly.
    pub(crate) fn as_python(self, random: &mut PythonRandom, weighted: bool) -> &'static str {
        let weights = self.0.iter().map(|&(_, count)| if weighted { count } else { 1 });
        self.0[random.choice(weights)].0
    }

    /// Draws a word uniformly.
    pub fn uniform(self, rng: &mut impl Rng) -> &'static str {
        self.0[rng.random_range(0..self.0.len())].0
    }
}

/// The generator of Python's module `random` after `random.seed(seed)`.
#[derive(Debug, Clone)]
pub(crate) struct PythonRandom(Mt);

impl PythonRandom {
    pub(crate) fn new(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        Self(Mt::new_with_key([low, high].into_iter().take(if high == 0 { 1 } else { 2 })))
    }

    /// Python's `random.random()`: a number of 53 bits from 0 up to, but not including, 1.
    fn random(&mut self) -> f64 {
        let (high, low) = (self.0.next_u32() >> 5, self.0.next_u32() >> 6);
        (f64::from(high) * f64::from(1 << 26) + f64::from(low))
            / f64::from(1 << 26)
            / f64::from(1 << 27)
    }

    /// The index that `random.choices` draws with these weights.
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
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn counts_are_those_of_the_data_sets() {
        let total = |prefixes: QuestionPrefixes| prefixes.0.iter().map(|p| p.1).sum::<u32>();
        assert_eq!((OKVQA.0.len(), total(OKVQA)), (21, 8810));
        assert_eq!((A_OKVQA.0.len(), total(A_OKVQA)), (21, 16731));
    }

    #[test]
    fn draws_follow_the_counts() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let draws = 20_000;
        let what = (0..draws).filter(|_| OKVQA.weighted(&mut rng) == "what").count();
        let expected = 5919.0 / 8810.0;
        assert!((what as f64 / f64::from(draws) - expected).abs() < 0.02, "{what}");
        let what = (0..draws).filter(|_| OKVQA.uniform(&mut rng) == "what").count();
        assert!((what as f64 / f64::from(draws) - 1.0 / 21.0).abs() < 0.01, "{what}");
    }

    #[test]
    fn numbers_equal_pythons() {
        let first = |seed| {
            let mut draw = PythonRandom::new(seed);
            [draw.random(), draw.random()]
        };
        assert_eq!(first(42), [0.639_426_798_457_883_7, 0.025_010_755_222_666_936]);
        assert_eq!(first(0), [0.844_421_851_525_048_1, 0.757_954_402_940_302_5]);
        assert_eq!(first(1 << 40), [0.1036394562812375, 0.6705558677439764]);
    }

    #[test]
    fn choices_equal_pythons() {
        let mut draw = PythonRandom::new(42);
        let indices = std::array::from_fn(|_| draw.choice([5, 1, 3].into_iter()));
        assert_eq!(indices, [1, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    }
}
