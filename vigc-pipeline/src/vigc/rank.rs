//! Choosing among given answers by their likelihood.

use super::scheduler::check_count;
use crate::Result;
use crate::visual_lm::{Request, VisualLm};

/// Candidates with the summed negative log-likelihood of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// One for each candidate, in the order they were given. Smaller is more likely.
    pub nll: Vec<f32>,
}

impl Ranking {
    /// The most likely candidate, the first of equal ones.
    ///
    /// # Panics
    ///
    /// Panics if there were no candidates.
    #[must_use]
    pub fn best(&self) -> usize {
        self.order()[0]
    }

    /// The candidates from the most to the least likely.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut order = (0..self.nll.len()).collect::<Vec<_>>();
        order.sort_by(|&a, &b| self.nll[a].total_cmp(&self.nll[b]));
        order
    }
}

/// Ranks possible answers to a prompt about an image.
///
/// As in the reference (`predict_by_rank`), the likelihood is that of the whole candidate with the end of
/// the sequence and is not divided by its length: short candidates are favoured.
///
/// # Errors
///
/// Returns the model's error.
pub fn rank<M: VisualLm + ?Sized>(
    model: &M,
    image: &M::Image,
    prompt: &str,
    answers: &[impl AsRef<str>],
) -> Result<Ranking> {
    let answers = answers.iter().map(AsRef::as_ref).collect::<Vec<_>>();
    let log_probs = model.score(&Request::new(image, prompt), &answers)?;
    check_count("candidates", answers.len(), log_probs.len())?;
    Ok(Ranking { nll: log_probs.into_iter().map(|log_prob| -log_prob).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_candidates_keep_their_order() {
        let ranking = Ranking { nll: vec![2.0, f32::NAN, 1.0, 2.0, 1.0] };
        assert_eq!((ranking.best(), ranking.order()), (2, vec![2, 4, 0, 3, 1]));
    }
}
