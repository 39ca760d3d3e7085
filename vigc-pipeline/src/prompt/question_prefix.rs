//! First words of questions, drawn by their frequency so that generated questions are as varied as
//! those of the data set (`vqg_test.py`, `SAMPLE_PREFIX`).

use rand::Rng;

use super::PythonRandom;

/// Words that questions begin with, and how often they do.
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
    /// The words with their counts.
    #[must_use]
    pub const fn counts(self) -> &'static [(&'static str, u32)] {
        self.0
    }

    /// Draws a word as often as it begins a question.
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

    /// Draws a word as Python's `random.choices` does, by frequency or all alike.
    pub(crate) fn as_python(self, random: &mut PythonRandom, weighted: bool) -> &'static str {
        let weights = self.0.iter().map(|&(_, count)| if weighted { count } else { 1 });
        self.0[random.choice(weights)].0
    }

    /// Draws every word as often as any other.
    pub fn uniform(self, rng: &mut impl Rng) -> &'static str {
        self.0[rng.random_range(0..self.0.len())].0
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
}
