//! Beam search: several hypotheses of every prompt side by side, the likeliest kept.
//!
//! What is common to all rules is here; what [`Rules`] differ in, how candidates become finished
//! hypotheses and when a search ends, is in [`modern`] and [`v4_28`].

mod modern;
mod v4_28;

use super::{FinishReason, GenerationConfig, Hypothesis, Rules, StopCondition, scores};
use crate::causal_lm::{Logits, Session};
use crate::{Error, Result};

/// Given to all beams but the first at the start, so that they do not all begin the same way.
const UNUSED: f32 = -1e9;

/// A hypothesis that is being written.
#[derive(Debug, Clone)]
struct Beam {
    /// The row of the session that has read it.
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
    /// Why the hypothesis ends with this token, if it does.
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

/// What a search does after a step.
#[derive(Debug)]
enum Outcome {
    Continue(Vec<Beam>),
    Done,
}

/// Searches `n_best` hypotheses for every prompt. Searches that are finished leave the batch.
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
                Rules::Modern => modern::step(&mut search, &candidates, config),
                Rules::Transformers4_28 { .. } => {
                    v4_28::step(&mut search, &candidates, place, config)
                }
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

/// Moves the session to the beams' rows and reads the beams' last tokens.
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

    /// The likeliest continuations, so many that `width` of them do not end.
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

    /// The number of tokens every beam holds.
    fn len(&self) -> usize {
        self.beams.first().map_or(0, |beam| beam.tokens.len())
    }

    /// The beam that a candidate makes.
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

    /// The best finished hypotheses, in order; the later of equal ones first, as 4.28.1 has it.
    fn best(mut self, count: usize) -> Vec<Hypothesis> {
        self.finished.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let best = self.finished.into_iter().rev().take(count);
        best.map(|(_, hypothesis)| hypothesis).collect()
    }
}
