//! Greedy decoding and sampling: the hypotheses do not depend on each other.

use rand_chacha::ChaCha8Rng;

use super::config::GenerationConfig;
use super::draft::Draft;
use super::generated::{FinishReason, Hypothesis};
use super::sampler::{Sampler, rng};
use super::scores;
use super::stop::StopCondition;
use super::strategy::Strategy;
use crate::causal_lm::{Logits, Session};
use crate::{Error, Result};

/// The inputs of a generation that come with each prompt.
pub(super) struct PerPrompt<'a> {
    /// One for each prompt, if the strategy samples.
    pub(super) seeds: &'a [u64],
    /// One for each prompt, or none.
    pub(super) drafts: &'a [Vec<u32>],
    pub(super) stop: &'a dyn StopCondition,
}

/// A hypothesis that is being generated.
#[derive(Debug)]
struct Row {
    prompt: usize,
    tokens: Vec<u32>,
    log_probs: Vec<f32>,
    rng: ChaCha8Rng,
    draft: Draft,
    /// Draft tokens that the session has read but that are not chosen yet.
    tried: Vec<u32>,
}

/// Generates `n_best` hypotheses for every prompt. Finished rows leave the batch.
pub(super) fn run(
    mut session: Box<dyn Session + '_>,
    logits: &Logits,
    config: &GenerationConfig,
    per_prompt: &PerPrompt<'_>,
) -> Result<Vec<Vec<Hypothesis>>> {
    let copies = copies(logits.rows(), config.n_best);
    let mut logits = repeat(logits, &copies);
    if config.n_best > 1 {
        session.select(&copies);
    }
    let mut done = vec![Vec::new(); copies.len() / config.n_best];
    let mut rows = start(&copies, config.n_best, per_prompt);
    loop {
        let count = rows.len();
        let (mut kept, mut rejected) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (i, mut row) in std::mem::take(&mut rows).into_iter().enumerate() {
            let scored = 1 + row.tried.len();
            match row.choose(&mut logits, first, config, per_prompt.stop)? {
                Chosen::End(hypothesis) => done[row.prompt].push(hypothesis),
                Chosen::Token { rejected: tokens } => {
                    kept.push(i);
                    rejected.push(tokens);
                    rows.push(row);
                }
            }
            first += scored;
        }
        if rows.is_empty() {
            break;
        }
        if kept.len() < count {
            session.select(&kept);
        }
        logits = advance(session.as_mut(), &mut rows, &rejected);
    }
    for hypotheses in &mut done {
        hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(done)
}

/// Rolls back the draft tokens that were rejected, then reads each row's last token and the draft tokens to try after it.
fn advance(session: &mut dyn Session, rows: &mut [Row], rejected: &[usize]) -> Logits {
    let last = |row: &Row| *row.tokens.last().expect("a row that goes on has a token");
    if let Some(session) = session.speculative() {
        if rejected.iter().any(|&count| count > 0) {
            session.roll_back(rejected);
        }
        let mut tokens = Vec::with_capacity(rows.len());
        for row in rows.iter_mut() {
            row.tried = row.draft.ahead().to_vec();
            tokens.push([vec![last(row)], row.tried.clone()].concat());
        }
        let tokens: Vec<_> = tokens.iter().map(Vec::as_slice).collect();
        return session.advance_by(&tokens);
    }
    let tokens: Vec<_> = rows.iter().map(last).collect();
    session.advance(&tokens)
}

/// The prompt of every hypothesis.
fn copies(prompts: usize, n_best: usize) -> Vec<usize> {
    (0..prompts * n_best).map(|i| i / n_best).collect()
}

fn repeat(logits: &Logits, rows: &[usize]) -> Logits {
    let scores: Vec<f32> = rows.iter().flat_map(|&row| logits.row(row)).copied().collect();
    Logits::new(scores, logits.row(0).len())
}

fn start(copies: &[usize], n_best: usize, per_prompt: &PerPrompt<'_>) -> Vec<Row> {
    let row = |(i, &prompt): (usize, &usize)| Row {
        prompt,
        tokens: Vec::new(),
        log_probs: Vec::new(),
        rng: rng(per_prompt.seeds.get(prompt).copied().unwrap_or(0), i % n_best),
        draft: Draft::new(per_prompt.drafts.get(prompt).cloned().unwrap_or_default()),
        tried: Vec::new(),
    };
    copies.iter().enumerate().map(row).collect()
}

/// The result of a row's scores.
enum Chosen {
    End(Hypothesis),
    /// The row goes on.
    Token {
        /// Number of draft tokens at the end of the row's session that were not chosen.
        rejected: usize,
    },
}

impl Row {
    /// Chooses tokens for as long as they are those that the session has read.
    fn choose(
        &mut self,
        logits: &mut Logits,
        first: usize,
        config: &GenerationConfig,
        stop: &dyn StopCondition,
    ) -> Result<Chosen> {
        let tried = std::mem::take(&mut self.tried);
        for accepted in 0..=tried.len() {
            if let Some(hypothesis) = self.step(logits.row_mut(first + accepted), config, stop)? {
                return Ok(Chosen::End(hypothesis));
            }
            if let Some(&token) = self.tokens.last() {
                self.draft.follow(token);
            }
            if tried.get(accepted) != self.tokens.last() {
                self.draft.adapt(tried.len(), accepted);
                return Ok(Chosen::Token { rejected: tried.len() - accepted });
            }
        }
        unreachable!("the last score has no draft token to compare with")
    }

    /// Chooses the next token. Returns the hypothesis if it ends there.
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
            return Ok(Some(self.finish(FinishReason::EndToken, Some(log_prob), config)));
        }
        self.tokens.push(token);
        self.log_probs.push(log_prob);
        let finish = if stop.is_met(self.prompt, &self.tokens) {
            FinishReason::Stopped
        } else if self.tokens.len() == config.max_new_tokens {
            FinishReason::MaxTokens
        } else {
            return Ok(None);
        };
        Ok(Some(self.finish(finish, None, config)))
    }

    fn finish(
        &mut self,
        finish: FinishReason,
        end: Option<f32>,
        config: &GenerationConfig,
    ) -> Hypothesis {
        let len = self.tokens.len() + usize::from(end.is_some());
        let sum: f32 = self.log_probs.iter().chain(&end).sum();
        Hypothesis {
            tokens: std::mem::take(&mut self.tokens),
            score: sum / (len as f32).powf(config.length_penalty),
            log_probs: std::mem::take(&mut self.log_probs),
            finish,
        }
    }
}
