//! The entry points of generation: they check the input and choose the strategy.

use burn::tensor::{Bool, Tensor};

use super::beam_search;
use super::config::GenerationConfig;
use super::generated::Hypothesis;
use super::row_decoder::{self, PerPrompt};
use super::stop::{NeverStop, StopCondition};
use super::strategy::Strategy;
use crate::causal_lm::{CausalLm, host_rows};
use crate::{Error, Result};

/// Continues every prompt and returns its hypotheses, the best first.
///
/// `seeds` holds one number for each prompt if the strategy samples and is not read otherwise. The result for a prompt
/// does not depend on the other prompts, except under [`Rules::Transformers4_28`](super::Rules::Transformers4_28).
///
/// # Shapes
///
/// - embeds: `[batch, seq, hidden]`
/// - mask: `[batch, seq]`, `true` for a token
///
/// # Errors
///
/// [`Error::Setting`] if `config` or the number of seeds is impossible, [`Error::MaskShape`] if the mask does not fit
/// the embeddings, [`Error::Prompt`] if it leaves a row empty, [`Error::NotFinite`] if the model's scores are not finite.
pub fn generate(
    lm: &dyn CausalLm,
    embeds: Tensor<3>,
    mask: &Tensor<2, Bool>,
    config: &GenerationConfig,
    seeds: &[u64],
) -> Result<Vec<Vec<Hypothesis>>> {
    generate_until(lm, embeds, mask, config, seeds, &NeverStop)
}

/// Like [`generate`], but also ends a hypothesis when `stop` is met.
///
/// # Errors
///
/// As [`generate`].
pub fn generate_until(
    lm: &dyn CausalLm,
    embeds: Tensor<3>,
    mask: &Tensor<2, Bool>,
    config: &GenerationConfig,
    seeds: &[u64],
    stop: &dyn StopCondition,
) -> Result<Vec<Vec<Hypothesis>>> {
    generate_with_draft(lm, embeds, mask, config, seeds, stop, &[])
}

/// Like [`generate_until`], but faster if each prompt comes with a draft: tokens that probably follow it, such as the
/// text that is being corrected.
///
/// The model reads several tokens of a draft in one pass and keeps those that it would have chosen itself, so the
/// hypotheses are the same as without drafts. The better the draft, the fewer passes. `drafts` holds one draft for each
/// prompt, or is empty. Beam search ignores drafts, and so do models whose [`Session`](crate::Session) cannot roll back.
///
/// # Errors
///
/// As [`generate`].
pub fn generate_with_draft(
    lm: &dyn CausalLm,
    embeds: Tensor<3>,
    mask: &Tensor<2, Bool>,
    config: &GenerationConfig,
    seeds: &[u64],
    stop: &dyn StopCondition,
    drafts: &[Vec<u32>],
) -> Result<Vec<Vec<Hypothesis>>> {
    let rows = check_prompts(&embeds, mask)?;
    config.check(lm.vocab_size(), rows, seeds)?;
    if rows == 0 {
        return Ok(Vec::new());
    }
    let (session, logits) = lm.start(embeds, mask.clone());
    match config.strategy {
        Strategy::Beam { beams } if beams > 1 => {
            beam_search::run(session, logits, beams, config, stop)
        }
        _ => row_decoder::run(session, &logits, config, &PerPrompt { seeds, drafts, stop }),
    }
}

/// Checks the mask and returns the number of prompts.
fn check_prompts(embeds: &Tensor<3>, mask: &Tensor<2, Bool>) -> Result<usize> {
    let [batch, seq, _] = embeds.dims();
    if mask.dims() != [batch, seq] {
        return Err(Error::MaskShape { found: mask.dims(), expected: [batch, seq] });
    }
    match host_rows(mask).iter().position(|row| !row.contains(&true)) {
        Some(row) => Err(Error::Prompt { row, problem: "holds no token".to_owned() }),
        None => Ok(batch),
    }
}
