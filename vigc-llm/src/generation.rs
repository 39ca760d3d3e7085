//! Writing text with a [`CausalLm`]: greedy, by sampling or by beam search.
//!
//! [`generate`] takes the embeddings of prompts and returns token ids. Two sets of [`Rules`] are
//! offered: today's, and those of transformers 4.28.1, which the authors of VIGC ran. Both count a
//! hypothesis' tokens from the end of the prompt and penalize repetition among them only.

mod beam_search;
mod config;
mod generated;
mod guess;
mod parse;
mod row_decoder;
mod sampler;
mod scores;
mod stop;
mod text_generator;

use burn::tensor::{Bool, Tensor};

pub use config::{GenerationConfig, Rules, Strategy};
pub use generated::{FinishReason, Generated, Hypothesis, TokenScore};
pub use parse::UnknownStrategy;
pub use stop::{Never, StopCondition, StopStrings};
pub use text_generator::{GenerationHint, TextEnd, TextGenerator};

use self::row_decoder::Hints;
use crate::causal_lm::host_rows;
use crate::{CausalLm, Error, Result};

/// Continues every prompt and returns its hypotheses, the best first.
///
/// `seeds` holds one number per row if the strategy samples, and is not read otherwise. A row's
/// result does not depend on the other rows, except under [`Rules::Transformers4_28`].
///
/// # Shapes
///
/// - embeds: `[batch, seq, hidden]`
/// - mask: `[batch, seq]`, `true` for a token
///
/// # Errors
///
/// [`Error::Setting`] if `config` or the number of seeds is impossible, [`Error::MaskShape`] if the
/// mask does not fit the embeddings, [`Error::Prompt`] if it leaves a row empty, [`Error::NotFinite`] if the model's
/// scores are not numbers.
pub fn generate(
    lm: &dyn CausalLm,
    embeds: Tensor<3>,
    mask: &Tensor<2, Bool>,
    config: &GenerationConfig,
    seeds: &[u64],
) -> Result<Vec<Vec<Hypothesis>>> {
    generate_until(lm, embeds, mask, config, seeds, &Never)
}

/// As [`generate`], and ends hypotheses where `stop` is met.
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
    generate_guessing(lm, embeds, mask, config, seeds, stop, &[])
}

/// As [`generate_until`], with a guess of what each prompt is continued with: tokens that are likely to come, such as a text
/// that is to be corrected.
///
/// Several tokens of a guess are read in one pass and kept as far as they are what would have been chosen, so the
/// hypotheses are those of [`generate_until`] and take less time, the less the better the guess. `guesses` holds one for
/// every prompt, or nothing. Beam search does not use them, nor do models that cannot take tokens back.
///
/// # Errors
///
/// As [`generate`].
pub fn generate_guessing(
    lm: &dyn CausalLm,
    embeds: Tensor<3>,
    mask: &Tensor<2, Bool>,
    config: &GenerationConfig,
    seeds: &[u64],
    stop: &dyn StopCondition,
    guesses: &[Vec<u32>],
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
        _ => row_decoder::run(session, &logits, config, &Hints { seeds, guesses, stop }),
    }
}

/// The number of rows.
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
