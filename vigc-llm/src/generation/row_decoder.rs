//! Greedy decoding and sampling: every hypothesis is a row that goes its own way.

use rand_chacha::ChaCha8Rng;

use super::guess::Guess;
use super::sampler::{Sampler, rng};
use super::{FinishReason, GenerationConfig, Hypothesis, StopCondition, Strategy, scores};
use crate::causal_lm::{Logits, Session};
use crate::{Error, Result};

/// What is known of the prompts besides their embeddings.
pub(super) struct Hints<'a> {
    /// One for every prompt, if the strategy samples.
    pub(super) seeds: &'a [u64],
    /// One for every prompt, or none.
    pub(super) guesses: &'a [Vec<u32>],
    pub(super) stop: &'a dyn StopCondition,
}

/// A hypothesis that is being written.
#[derive(Debug)]
struct Row {
    prompt: usize,
    tokens: Vec<u32>,
    log_probs: Vec<f32>,
    rng: ChaCha8Rng,
    guess: Guess,
    /// Tokens that were read and may not be what is chosen.
    unsure: Vec<u32>,
}

/// Writes `n_best` hypotheses for every prompt. Rows that are finished leave the batch.
pub(super) fn run(
    mut session: Box<dyn Session + '_>,
    logits: &Logits,
    config: &GenerationConfig,
    hints: &Hints<'_>,
) -> Result<Vec<Vec<Hypothesis>>> {
    let copies = copies(logits.rows(), config.n_best);
    let mut logits = repeat(logits, &copies);
    if config.n_best > 1 {
        session.select(&copies);
    }
    let mut done = vec![Vec::new(); copies.len() / config.n_best];
    let mut rows = start(&copies, config.n_best, hints);
    loop {
        let count = rows.len();
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (i, mut row) in std::mem::take(&mut rows).into_iter().enumerate() {
            let scored = 1 + row.unsure.len();
            match row.choose(&mut logits, first, config, hints.stop)? {
                Chosen::End(hypothesis) => done[row.prompt].push(hypothesis),
                Chosen::Token { unread } => {
                    kept.push(i);
                    wrong.push(unread);
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
        logits = read(session.as_mut(), &mut rows, &wrong);
    }
    for hypotheses in &mut done {
        hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(done)
}

/// Takes back what was not chosen, and reads each row's last token with what may follow it.
fn read(session: &mut dyn Session, rows: &mut [Row], wrong: &[usize]) -> Logits {
    let last = |row: &Row| *row.tokens.last().expect("a row that goes on has a token");
    if let Some(session) = session.drafting() {
        if wrong.iter().any(|&count| count > 0) {
            session.take_back(wrong);
        }
        let mut tokens = Vec::with_capacity(rows.len());
        for row in rows.iter_mut() {
            row.unsure = row.guess.ahead().to_vec();
            tokens.push([vec![last(row)], row.unsure.clone()].concat());
        }
        let tokens: Vec<_> = tokens.iter().map(Vec::as_slice).collect();
        return session.read(&tokens);
    }
    let tokens: Vec<_> = rows.iter().map(last).collect();
    session.advance(&tokens)
}

/// The row of the prompts that every hypothesis continues.
fn copies(prompts: usize, n_best: usize) -> Vec<usize> {
    (0..prompts * n_best).map(|i| i / n_best).collect()
}

fn repeat(logits: &Logits, rows: &[usize]) -> Logits {
    let scores: Vec<f32> = rows.iter().flat_map(|&row| logits.row(row)).copied().collect();
    Logits::new(scores, logits.row(0).len())
}

fn start(copies: &[usize], n_best: usize, hints: &Hints<'_>) -> Vec<Row> {
    let row = |(i, &prompt): (usize, &usize)| Row {
        prompt,
        tokens: Vec::new(),
        log_probs: Vec::new(),
        rng: rng(hints.seeds.get(prompt).copied().unwrap_or(0), i % n_best),
        guess: Guess::new(hints.guesses.get(prompt).cloned().unwrap_or_default()),
        unsure: Vec::new(),
    };
    copies.iter().enumerate().map(row).collect()
}

/// What came of the scores of a row.
enum Chosen {
    End(Hypothesis),
    /// There is a next token. So many of the tokens that were read are not what was chosen.
    Token {
        unread: usize,
    },
}

impl Row {
    /// Chooses tokens as long as what was read is what is chosen.
    fn choose(
        &mut self,
        logits: &mut Logits,
        first: usize,
        config: &GenerationConfig,
        stop: &dyn StopCondition,
    ) -> Result<Chosen> {
        let unsure = std::mem::take(&mut self.unsure);
        for came in 0..=unsure.len() {
            if let Some(hypothesis) = self.step(logits.row_mut(first + came), config, stop)? {
                return Ok(Chosen::End(hypothesis));
            }
            if let Some(&token) = self.tokens.last() {
                self.guess.note(token);
            }
            if unsure.get(came) != self.tokens.last() {
                self.guess.learn(unsure.len(), came);
                return Ok(Chosen::Token { unread: unsure.len() - came });
            }
        }
        unreachable!("there is a score behind the last token that was read")
    }

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
