//! Operations on the scores of one row: penalties, log-probabilities and the best tokens.

use super::config::{GenerationConfig, Rules};

/// Penalizes repetition and forbids the end token before the minimum length. `tokens` are those generated so far.
pub(super) fn edit(scores: &mut [f32], tokens: &[u32], config: &GenerationConfig) {
    let dummy = match config.rules {
        Rules::Transformers4_28 { dummy_bos } => Some(dummy_bos),
        Rules::Modern => None,
    };
    let before = tokens.iter().copied().chain(dummy);
    penalize(scores, before, config.repetition_penalty);
    if tokens.len() < config.min_new_tokens {
        forbid(scores, &config.eos_ids);
    }
}

/// Turns scores into log-probabilities. `None` if they are not finite.
pub(super) fn log_softmax(scores: &mut [f32]) -> Option<()> {
    let total = log_sum_exp(scores)?;
    for score in scores {
        *score = (f64::from(*score) - total) as f32;
    }
    Some(())
}

/// The logarithm of the sum of exponentials. `None` if it is not finite.
pub(super) fn log_sum_exp(scores: &[f32]) -> Option<f64> {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|&score| f64::from((score - max).exp())).sum();
    let total = f64::from(max) + sum.ln();
    total.is_finite().then_some(total)
}

/// Makes each of `tokens` less likely. A token that occurs several times is penalized once.
fn penalize(scores: &mut [f32], tokens: impl Iterator<Item = u32>, penalty: f32) {
    if penalty == 1.0 {
        return;
    }
    let mut tokens: Vec<u32> = tokens.collect();
    tokens.sort_unstable();
    tokens.dedup();
    for token in tokens {
        let score = &mut scores[token as usize];
        *score = if *score < 0.0 { *score * penalty } else { *score / penalty };
    }
}

/// Gives tokens a probability of zero.
fn forbid(scores: &mut [f32], tokens: &[u32]) {
    for &token in tokens {
        scores[token as usize] = f32::NEG_INFINITY;
    }
}

/// The position of the highest score; of equal scores, the first.
pub(super) fn argmax(scores: &[f32]) -> usize {
    let better = |best: usize, (i, &score)| if score > scores[best] { i } else { best };
    scores.iter().enumerate().fold(0, better)
}

/// Collects the `k` highest of many scores. Equal scores keep their order.
#[derive(Debug)]
pub(super) struct TopK<T> {
    best: Vec<(f32, T)>,
    k: usize,
}

impl<T> TopK<T> {
    pub(super) fn new(k: usize) -> Self {
        Self { best: Vec::with_capacity(k + 1), k }
    }

    pub(super) fn push(&mut self, score: f32, item: T) {
        if self.best.len() == self.k && self.best.last().is_none_or(|(worst, _)| score <= *worst) {
            return;
        }
        let at = self.best.partition_point(|(other, _)| *other >= score);
        self.best.insert(at, (score, item));
        self.best.truncate(self.k);
    }

    /// The collected items, the highest score first.
    pub(super) fn into_sorted(self) -> Vec<(f32, T)> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_softmax_sums_to_one_and_rejects_scores_that_are_not_finite() {
        let mut scores = [1.0, f32::NEG_INFINITY, 3.0];
        log_softmax(&mut scores).unwrap();
        assert!((scores.iter().map(|score| score.exp()).sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(scores[1], f32::NEG_INFINITY);
        for bad in [[f32::NAN, 0.0], [f32::INFINITY, 0.0], [f32::NEG_INFINITY; 2]] {
            assert_eq!(log_softmax(&mut bad.clone()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_repeated_token_is_penalized_once() {
        let mut scores = [3.0, -2.0, 1.0];
        penalize(&mut scores, [0, 1, 1, 0].into_iter(), 2.0);
        assert_eq!(scores, [1.5, -4.0, 1.0]);
    }

    #[test]
    fn top_k_is_sorted_and_stable() {
        let mut top = TopK::new(3);
        for (i, score) in [1.0, 5.0, 3.0, 5.0, 3.0].into_iter().enumerate() {
            top.push(score, i);
        }
        assert_eq!(top.into_sorted(), [(5.0, 1), (5.0, 3), (3.0, 2)]);
        assert_eq!(argmax(&[1.0, 5.0, 5.0]), 1);
    }
}
