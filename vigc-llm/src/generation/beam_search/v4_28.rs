//! The rules of `BeamSearchScorer` in transformers 4.28.1 with `early_stopping=False`.
//!
//! Lengths include the token that every text begins with, but not the end token. Its file is
//! `generation/beam_search.py`.

use super::{Candidate, Outcome, Search};
use crate::generation::{FinishReason, GenerationConfig, Hypothesis};

/// Walks the candidates in order until the next beams are found.
///
/// `place` is the search's place among those that are still open: the counter of the length is
/// raised inside the loop over the batch there, so later searches see a length that is too large.
pub(super) fn step(
    search: &mut Search,
    candidates: &[Candidate],
    place: usize,
    config: &GenerationConfig,
) -> Outcome {
    let width = search.width;
    let len = 1 + search.len();
    let power = f64::from(config.length_penalty);
    let final_score = |score: f32, len: usize| f64::from(score) / (len as f64).powf(power);
    let mut beams = Vec::with_capacity(width);
    for (rank, candidate) in candidates.iter().enumerate() {
        match candidate.ends {
            Some(_) if rank >= width => {}
            Some(finish) => {
                let stopped = usize::from(finish == FinishReason::Stopped);
                let score = final_score(candidate.score, len + stopped);
                let ended = search.end(candidate, score, finish);
                keep(search, ended);
            }
            None => beams.push(search.extend(candidate)),
        }
        if beams.len() == width {
            break;
        }
    }
    let attainable = candidates.first().map(|best| final_score(best.score, len + 1 + place));
    if search.finished.len() == width && attainable.is_none_or(|score| worst(search) >= score) {
        return Outcome::Done;
    }
    if len < config.max_new_tokens && !beams.is_empty() {
        return Outcome::Continue(beams);
    }
    for beam in beams {
        let score = final_score(beam.score, len + 1);
        let hypothesis = Hypothesis {
            tokens: beam.tokens,
            score: score as f32,
            log_probs: beam.log_probs,
            finish: FinishReason::MaxTokens,
        };
        keep(search, (score, hypothesis));
    }
    Outcome::Done
}

fn worst(search: &Search) -> f64 {
    search.finished.iter().map(|(score, _)| *score).fold(f64::INFINITY, f64::min)
}

/// Adds a finished hypothesis if it is among the `width` best; of equal ones the first leaves.
fn keep(search: &mut Search, ended: (f64, Hypothesis)) {
    let full = search.finished.len() == search.width;
    if full && ended.0 <= worst(search) {
        return;
    }
    search.finished.push(ended);
    if full {
        let lowest = worst(search);
        search.finished.remove(
            search.finished.iter().position(|(score, _)| *score == lowest).unwrap_or_default(),
        );
    }
}
