//! The rules of transformers 5 with `early_stopping=False`.

use super::{Candidate, Outcome, Search};
use crate::generation::{FinishReason, GenerationConfig};

/// Ends the candidates that must end and goes on with the others.
///
/// Only the `width` best candidates may end. A search is done when `width` hypotheses are finished
/// and its best beam, if it ended now, would not beat the worst of them. Scores are divided by a
/// power of the number of new tokens, the end token included, in f32 as there.
pub(super) fn step(
    search: &mut Search,
    candidates: &[Candidate],
    config: &GenerationConfig,
) -> Outcome {
    let width = search.width;
    let len = search.len() + 1;
    let divisor = (len as f64).powf(f64::from(config.length_penalty)) as f32;
    let last = len == config.max_new_tokens;
    let ends = |candidate: &Candidate| candidate.ends.or(last.then_some(FinishReason::MaxTokens));
    for candidate in candidates.iter().take(width) {
        if let Some(finish) = ends(candidate) {
            let score = f64::from(candidate.score / divisor);
            let ended = search.end(candidate, score, finish);
            search.finished.push(ended);
        }
    }
    // Stable, so that of equal hypotheses the earlier stays.
    search.finished.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    search.finished.truncate(width);
    let going = candidates.iter().filter(|candidate| ends(candidate).is_none()).take(width);
    let beams: Vec<_> = going.map(|candidate| search.extend(candidate)).collect();
    let Some(best) = beams.first() else { return Outcome::Done };
    let attainable = f64::from(best.score / divisor);
    match search.finished.last() {
        Some((worst, _)) if search.finished.len() == width && attainable <= *worst => Outcome::Done,
        _ => Outcome::Continue(beams),
    }
}
