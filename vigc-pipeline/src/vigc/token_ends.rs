//! Where the tokens of a text end.

use vigc_llm::tokenizer::TextTokenizer;

use super::{Generated, TokenScore};
use crate::{Result, model};

/// Finds where in the texts each token ends.
pub(super) fn with_tokens(
    rows: Vec<Vec<model::Generated>>,
    tokenizer: &TextTokenizer,
) -> Result<Vec<Vec<Generated>>> {
    let row = |row: Vec<_>| row.into_iter().map(|text| located(text, tokenizer)).collect();
    rows.into_iter().map(row).collect()
}

fn located(text: model::Generated, tokenizer: &TextTokenizer) -> Result<Generated> {
    let model::Generated { text, hypothesis } = text;
    let mut tokens = Vec::with_capacity(hypothesis.tokens.len());
    let mut end = 0;
    for (i, &log_prob) in hypothesis.log_probs.iter().enumerate() {
        // A prefix may end within a character, so only what it shares with the text counts. The end
        // token has a log-probability, but no place in the text.
        let prefix = tokenizer.decode(&hypothesis.tokens[..hypothesis.tokens.len().min(i + 1)])?;
        end = shared_prefix(&prefix, &text).max(end);
        tokens.push(TokenScore { end, log_prob });
    }
    Ok(Generated { text, score: hypothesis.score, tokens, finish: hypothesis.finish })
}

fn shared_prefix(a: &str, b: &str) -> usize {
    a.char_indices()
        .zip(b.chars())
        .find(|((_, a), b)| a != b)
        .map_or(a.len().min(b.len()), |((at, _), _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_prefixes_end_between_characters() {
        for (a, b, expected) in [
            ("", "a", 0),
            ("ab", "abc", 2),
            ("abc", "ab", 2),
            ("é\u{fffd}", "éß", 2),
            ("ba", "ab", 0),
        ] {
            assert_eq!(shared_prefix(a, b), expected, "{a:?} {b:?}");
        }
    }
}
