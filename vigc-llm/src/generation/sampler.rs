//! Random choice of a token by its scores.

use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Draws a token from the likely ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampler {
    pub(super) temperature: f32,
    pub(super) top_k: usize,
    pub(super) top_p: f32,
}

/// The random number generator of one hypothesis. It depends on the prompt's seed and the hypothesis' number only.
pub(super) fn rng(seed: u64, number: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number as u64);
    rng
}

impl Sampler {
    /// Draws a token according to its edited scores.
    pub(super) fn draw(&self, scores: &[f32], rng: &mut ChaCha8Rng) -> usize {
        let likely = self.likely(scores);
        let total: f64 = likely.iter().map(|(_, weight)| weight).sum();
        let mut left = unit(rng) * total;
        for &(token, weight) in &likely {
            left -= weight;
            if left < 0.0 {
                return token;
            }
        }
        likely[0].0
    }

    /// The tokens to draw from with their weights, the most likely first.
    fn likely(&self, scores: &[f32]) -> Vec<(usize, f64)> {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        if self.top_k > 0 && self.top_k < order.len() {
            let last = scores[order[self.top_k - 1]];
            order.truncate(order.partition_point(|&token| scores[token] >= last));
        }
        let max = scores[order[0]];
        let weight = |token: usize| f64::from((scores[token] - max) / self.temperature).exp();
        let mut likely: Vec<_> = order.into_iter().map(|token| (token, weight(token))).collect();
        let reach = f64::from(self.top_p) * likely.iter().map(|(_, weight)| weight).sum::<f64>();
        if self.top_p < 1.0 {
            let mut before = 0.0;
            likely.retain(|(_, weight)| {
                let keep = before < reach;
                before += weight;
                keep
            });
        }
        likely
    }
}

/// A number in `0.0..1.0`.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(sampler: Sampler, scores: &[f32]) -> Vec<usize> {
        sampler.likely(scores).into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn keeps_the_likely_tokens() {
        let scores = [0.2_f32, 0.5, 0.1, 0.2].map(f32::ln);
        let all = Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 };
        assert_eq!(tokens(all, &scores), [1, 0, 3, 2]);
        assert_eq!(tokens(Sampler { top_p: 0.5, ..all }, &scores), [1]);
        assert_eq!(tokens(Sampler { top_p: 0.6, ..all }, &scores), [1, 0]);
        assert_eq!(tokens(Sampler { top_p: 1e-9, ..all }, &scores), [1]);
        // Tokens that tie with the last one stay, as in transformers.
        assert_eq!(tokens(Sampler { top_k: 2, ..all }, &scores), [1, 0, 3]);
        assert_eq!(tokens(Sampler { top_k: 9, ..all }, &scores), [1, 0, 3, 2]);
    }

    #[test]
    fn draws_as_often_as_likely() {
        let scores = [0.2_f32, 0.5, 0.3].map(f32::ln);
        let sampler = Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 };
        let mut rng = rng(7, 0);
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts[sampler.draw(&scores, &mut rng)] += 1;
        }
        for (count, expected) in counts.into_iter().zip([2000_i32, 5000, 3000]) {
            assert!((count - expected).abs() < 200, "{counts:?}");
        }
    }
}
