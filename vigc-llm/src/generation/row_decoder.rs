//! Greedy decoding and sampling: every hypothesis is a row that goes its own way.

use rand_chacha::ChaCha8Rng;

use super::sampler::{Sampler, rng};
use super::{Finish, GenerationConfig, Hypothesis, StopCondition, Strategy, scores};
use crate::causal_lm::{Logits, Session};
use crate::{Error, Result};

/// A hypothesis that is being written.
#[derive(Debug)]
struct Row {
    prompt: usize,
    tokens: Vec<u32>,
    log_probs: Vec<f32>,
    rng: ChaCha8Rng,
}

/// Writes `n_best` hypotheses for every prompt. Rows that are finished leave the batch.
pub(super) fn run(
    mut session: Box<dyn Session + '_>,
    logits: &Logits,
    config: &GenerationConfig,
    seeds: &[u64],
    stop: &dyn StopCondition,
) -> Result<Vec<Vec<Hypothesis>>> {
    let copies = copies(logits.rows(), config.n_best);
    let mut logits = repeat(logits, &copies);
    if config.n_best > 1 {
        session.select(&copies);
    }
    let mut done = vec![Vec::new(); copies.len() / config.n_best];
    let mut rows = start(&copies, config.n_best, seeds);
    loop {
        let mut next = Vec::new();
        let mut kept = Vec::new();
        for (i, mut row) in std::mem::take(&mut rows).into_iter().enumerate() {
            match row.step(logits.row_mut(i), config, stop)? {
                Some(hypothesis) => done[row.prompt].push(hypothesis),
                None => {
                    kept.push(i);
                    next.push(*row.tokens.last().expect("a row that goes on has a token"));
                    rows.push(row);
                }
            }
        }
        if rows.is_empty() {
            break;
        }
        if kept.len() < logits.rows() {
            session.select(&kept);
        }
        logits = session.advance(&next);
    }
    for hypotheses in &mut done {
        hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(done)
}

/// The row of the prompts that every hypothesis continues.
fn copies(prompts: usize, n_best: usize) -> Vec<usize> {
    (0..prompts * n_best).map(|i| i / n_best).collect()
}

fn repeat(logits: &Logits, rows: &[usize]) -> Logits {
    let scores: Vec<f32> = rows.iter().flat_map(|&row| logits.row(row)).copied().collect();
    Logits::new(scores, logits.row(0).len())
}

fn start(copies: &[usize], n_best: usize, seeds: &[u64]) -> Vec<Row> {
    let row = |(i, &prompt): (usize, &usize)| Row {
        prompt,
        tokens: Vec::new(),
        log_probs: Vec::new(),
        rng: rng(seeds.get(prompt).copied().unwrap_or(0), i % n_best),
    };
    copies.iter().enumerate().map(row).collect()
}

impl Row {
    /// Chooses the next token; gives the hypothesis if it ends there.
    fn step(
        &mut self,
        scores: &mut [f32],
        config: &GenerationConfig,
        stop: &dyn StopCondition,
    ) -> Result<Option<Hypothesis>> {
        let written = self.tokens.len();
        let total = scores::log_sum_exp(scores)
            .ok_or(Error::NotFinite { row: self.prompt, tokens: written })?;
        let log_prob = |score: f32| (f64::from(score) - total) as f32;
        let raw = scores.to_vec();
        scores::edit(scores, &self.tokens, config);
        let token = match config.strategy {
            Strategy::Sample { temperature, top_k, top_p } => {
                Sampler { temperature, top_k, top_p }.draw(scores, &mut self.rng)
            }
            _ => scores::argmax(scores),
        };
        let (token, log_prob) = (token as u32, log_prob(raw[token]));
        if config.eos_ids.contains(&token) {
            return Ok(Some(self.finish(Finish::EndToken, Some(log_prob), config)));
        }
        self.tokens.push(token);
        self.log_probs.push(log_prob);
        let finished = if stop.is_met(&self.tokens) {
            Finish::Stopped
        } else if self.tokens.len() == config.max_new_tokens {
            Finish::MaxTokens
        } else {
            return Ok(None);
        };
        Ok(Some(self.finish(finished, None, config)))
    }

    fn finish(
        &mut self,
        finished: Finish,
        end: Option<f32>,
        config: &GenerationConfig,
    ) -> Hypothesis {
        let len = self.tokens.len() + usize::from(end.is_some());
        let sum: f32 = self.log_probs.iter().chain(&end).sum();
        Hypothesis {
            tokens: std::mem::take(&mut self.tokens),
            score: sum / (len as f32).powf(config.length_penalty),
            log_probs: std::mem::take(&mut self.log_probs),
            finished,
        }
    }
}
