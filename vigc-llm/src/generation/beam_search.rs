//! Beam search: extends several hypotheses of every prompt side by side and keeps the most likely ones.
//!
//! [`Rules`] differ in how candidates become finished hypotheses and in when a search ends: see [`Search::step_modern`] and
//! [`Search::step_v4_28`].

use super::config::{GenerationConfig, Rules};
use super::generated::{FinishReason, Hypothesis};
use super::scores;
use super::stop::StopCondition;
use crate::causal_lm::{Logits, Session};
use crate::{Error, Result};

/// The initial score of all beams but the first, so that they do not all begin with the same token.
const UNUSED: f32 = -1e9;

/// A hypothesis that is being generated.
#[derive(Debug, Clone)]
struct Beam {
    /// The row of the session that has read its tokens.
    row: usize,
    tokens: Vec<u32>,
    log_probs: Vec<f32>,
    /// The sum of its tokens' edited log-probabilities.
    score: f32,
}

/// A beam and a token that may follow it.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    beam: usize,
    token: u32,
    log_prob: f32,
    score: f32,
    /// Why the hypothesis ends with this token. `None` if it goes on.
    ends: Option<FinishReason>,
}

/// The search of one prompt.
#[derive(Debug)]
struct Search {
    prompt: usize,
    width: usize,
    beams: Vec<Beam>,
    /// Finished hypotheses with their final scores.
    finished: Vec<(f64, Hypothesis)>,
}

/// How a search goes on after a step.
#[derive(Debug)]
enum Outcome {
    Continue(Vec<Beam>),
    Done,
}

/// Finds the `n_best` hypotheses of every prompt. Finished searches leave the batch.
pub(super) fn run(
    mut session: Box<dyn Session + '_>,
    mut logits: Logits,
    width: usize,
    config: &GenerationConfig,
    stop: &dyn StopCondition,
) -> Result<Vec<Vec<Hypothesis>>> {
    let prompts = logits.rows();
    let mut searches: Vec<_> = (0..prompts).map(|prompt| Search::new(prompt, width)).collect();
    let mut done = vec![Vec::new(); prompts];
    while !searches.is_empty() {
        let mut open = Vec::new();
        for (place, mut search) in searches.into_iter().enumerate() {
            let candidates = search.candidates(&logits, config, stop)?;
            let outcome = match config.rules {
                Rules::Modern => search.step_modern(&candidates, config),
                Rules::Transformers4_28 { .. } => search.step_v4_28(&candidates, place, config),
            };
            match outcome {
                Outcome::Continue(beams) => open.push(Search { beams, ..search }),
                Outcome::Done => {
                    let prompt = search.prompt;
                    done[prompt] = search.best(config.n_best);
                }
            }
        }
        searches = open;
        if !searches.is_empty() {
            logits = advance(session.as_mut(), &mut searches);
        }
    }
    Ok(done)
}

/// Gives every beam a row of the session and reads the beams' last tokens.
fn advance(session: &mut dyn Session, searches: &mut [Search]) -> Logits {
    let (mut rows, mut tokens) = (Vec::new(), Vec::new());
    for beam in searches.iter_mut().flat_map(|search| &mut search.beams) {
        rows.push(std::mem::replace(&mut beam.row, tokens.len()));
        tokens.push(*beam.tokens.last().expect("a beam that goes on has a token"));
    }
    session.select(&rows);
    session.advance(&tokens)
}

impl Search {
    fn new(prompt: usize, width: usize) -> Self {
        let beam = |i: usize| Beam {
            row: prompt,
            tokens: Vec::new(),
            log_probs: Vec::new(),
            score: if i == 0 { 0.0 } else { UNUSED },
        };
        Self { prompt, width, beams: (0..width).map(beam).collect(), finished: Vec::new() }
    }

    /// The most likely continuations: enough that at least `width` of them do not end.
    fn candidates(
        &self,
        logits: &Logits,
        config: &GenerationConfig,
        stop: &dyn StopCondition,
    ) -> Result<Vec<Candidate>> {
        let count = (1 + config.eos_ids.len()).max(2) * self.width;
        let mut top = scores::TopK::new(count);
        for (i, beam) in self.beams.iter().enumerate() {
            let mut raw = logits.row(beam.row).to_vec();
            let tokens = beam.tokens.len();
            scores::log_softmax(&mut raw).ok_or(Error::NotFinite { row: self.prompt, tokens })?;
            let mut edited = raw.clone();
            scores::edit(&mut edited, &beam.tokens, config);
            for (token, (score, log_prob)) in edited.into_iter().zip(raw).enumerate() {
                top.push(score + beam.score, (i, token as u32, log_prob));
            }
        }
        let candidate = |(score, (beam, token, log_prob))| {
            let ends = self.ends(beam, token, config, stop);
            Candidate { beam, token, log_prob, score, ends }
        };
        Ok(top.into_sorted().into_iter().map(candidate).collect())
    }

    fn ends(
        &self,
        beam: usize,
        token: u32,
        config: &GenerationConfig,
        stop: &dyn StopCondition,
    ) -> Option<FinishReason> {
        if config.eos_ids.contains(&token) {
            return Some(FinishReason::EndToken);
        }
        let mut tokens = self.beams[beam].tokens.clone();
        tokens.push(token);
        stop.is_met(self.prompt, &tokens).then_some(FinishReason::Stopped)
    }

    /// The number of tokens of every beam.
    fn len(&self) -> usize {
        self.beams.first().map_or(0, |beam| beam.tokens.len())
    }

    /// The beam that a candidate extends.
    fn extend(&self, candidate: &Candidate) -> Beam {
        let mut beam = self.beams[candidate.beam].clone();
        beam.tokens.push(candidate.token);
        beam.log_probs.push(candidate.log_prob);
        beam.score = candidate.score;
        beam
    }

    /// The hypothesis that a candidate ends, with its final score.
    fn end(&self, candidate: &Candidate, score: f64, finish: FinishReason) -> (f64, Hypothesis) {
        let beam = match finish {
            FinishReason::EndToken => self.beams[candidate.beam].clone(),
            _ => self.extend(candidate),
        };
        let Beam { tokens, log_probs, .. } = beam;
        (score, Hypothesis { tokens, score: score as f32, log_probs, finish })
    }

    /// The best finished hypotheses in order. Of equal ones the later comes first, as in 4.28.1.
    fn best(mut self, count: usize) -> Vec<Hypothesis> {
        self.finished.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let best = self.finished.into_iter().rev().take(count);
        best.map(|(_, hypothesis)| hypothesis).collect()
    }
}

impl Search {
    /// The rules of transformers 5 with `early_stopping=False`.
    ///
    /// Only the `width` best candidates may end. A search is done when `width` hypotheses are finished and its best beam,
    /// if it ended now, would not beat the worst of them. Scores are divided by a power of the number of new tokens, the
    /// end token included, in f32 as in transformers.
    fn step_modern(&mut self, candidates: &[Candidate], config: &GenerationConfig) -> Outcome {
        let width = self.width;
        let len = self.len() + 1;
        let divisor = (len as f64).powf(f64::from(config.length_penalty)) as f32;
        let last = len == config.max_new_tokens;
        let ends =
            |candidate: &Candidate| candidate.ends.or(last.then_some(FinishReason::MaxTokens));
        for candidate in candidates.iter().take(width) {
            if let Some(finish) = ends(candidate) {
                let score = f64::from(candidate.score / divisor);
                let ended = self.end(candidate, score, finish);
                self.finished.push(ended);
            }
        }
        // Stable, so that of equal hypotheses the earlier stays.
        self.finished.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        self.finished.truncate(width);
        let going = candidates.iter().filter(|candidate| ends(candidate).is_none()).take(width);
        let beams: Vec<_> = going.map(|candidate| self.extend(candidate)).collect();
        let Some(best) = beams.first() else { return Outcome::Done };
        let attainable = f64::from(best.score / divisor);
        match self.finished.last() {
            Some((worst, _)) if self.finished.len() == width && attainable <= *worst => {
                Outcome::Done
            }
            _ => Outcome::Continue(beams),
        }
    }

    /// The rules of `BeamSearchScorer` in transformers 4.28.1 (`generation/beam_search.py`) with `early_stopping=False`.
    ///
    /// Goes through the candidates in order until the next beams are found. Lengths include the token that every text
    /// begins with, but not the end token. `place` is the place of the search among the open ones: upstream increments
    /// the length inside its loop over the batch, so later searches see a length that is too large.
    fn step_v4_28(
        &mut self,
        candidates: &[Candidate],
        place: usize,
        config: &GenerationConfig,
    ) -> Outcome {
        let width = self.width;
        let len = 1 + self.len();
        let power = f64::from(config.length_penalty);
        let final_score = |score: f32, len: usize| f64::from(score) / (len as f64).powf(power);
        let mut beams = Vec::with_capacity(width);
        for (rank, candidate) in candidates.iter().enumerate() {
            match candidate.ends {
                Some(_) if rank >= width => {}
                Some(finish) => {
                    let stopped = usize::from(finish == FinishReason::Stopped);
                    let score = final_score(candidate.score, len + stopped);
                    let ended = self.end(candidate, score, finish);
                    self.keep(ended);
                }
                None => beams.push(self.extend(candidate)),
            }
            if beams.len() == width {
                break;
            }
        }
        let attainable = candidates.first().map(|best| final_score(best.score, len + 1 + place));
        if self.finished.len() == width && attainable.is_none_or(|score| self.worst() >= score) {
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
            self.keep((score, hypothesis));
        }
        Outcome::Done
    }

    /// The lowest score of the finished hypotheses.
    fn worst(&self) -> f64 {
        self.finished.iter().map(|(score, _)| *score).fold(f64::INFINITY, f64::min)
    }

    /// Adds a finished hypothesis if it is among the `width` best. Of equal ones the first leaves.
    fn keep(&mut self, ended: (f64, Hypothesis)) {
        let full = self.finished.len() == self.width;
        if full && ended.0 <= self.worst() {
            return;
        }
        self.finished.push(ended);
        if full {
            let lowest = self.worst();
            let first = self.finished.iter().position(|(score, _)| *score == lowest);
            self.finished.remove(first.unwrap_or_default());
        }
    }
}
