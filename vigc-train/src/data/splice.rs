//! How a prompt and its answer become one row of tokens with labels.

use vigc_llm::loss::IGNORE_INDEX;
use vigc_llm::tokenizer::TextTokenizer;

/// The most tokens that the reference keeps of a prompt, its last ones.
pub const MAX_INPUT: usize = 128;
/// The most tokens that the reference keeps of an answer, its first ones.
pub const MAX_OUTPUT: usize = 256;

/// Tokens of one row behind its soft tokens, and what each should be predicted as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplicedRow {
    /// The prompt's tokens, then the answer's.
    pub ids: Vec<u32>,
    /// [`IGNORE_INDEX`] for the prompt, the token itself for the answer.
    pub labels: Vec<i64>,
}

impl SplicedRow {
    /// Puts the answer right behind the prompt (`concat_text_input_output`).
    ///
    /// The prompt begins with the begin token and loses its beginning if it is too long; the answer
    /// ends with the end token and loses its end, that token included.
    ///
    /// # Errors
    ///
    /// [`vigc_llm::Error::Text`] if a text cannot be encoded.
    pub fn new(tokenizer: &TextTokenizer, input: &str, output: &str) -> vigc_llm::Result<Self> {
        let mut prompt = tokenizer.encode(input)?;
        let mut answer = tokenizer.encode_target(output)?;
        prompt.drain(..prompt.len().saturating_sub(MAX_INPUT));
        // The reference counts the answer's own begin token, which the splice drops.
        answer.truncate(MAX_OUTPUT - 1);
        Ok(Self::from_tokens(prompt, &answer))
    }

    /// The same from tokens.
    #[must_use]
    pub fn from_tokens(prompt: Vec<u32>, answer: &[u32]) -> Self {
        let mut labels = vec![IGNORE_INDEX; prompt.len()];
        labels.extend(answer.iter().map(|&id| i64::from(id)));
        let mut ids = prompt;
        ids.extend_from_slice(answer);
        Self { ids, labels }
    }
}

/// Labels of a whole batch behind `soft` soft tokens, each row padded at its end.
#[must_use]
pub fn batch_labels(rows: &[SplicedRow], soft: usize) -> Vec<Vec<i64>> {
    let seq = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
    let padded = |row: &SplicedRow| {
        let mut labels = vec![IGNORE_INDEX; soft];
        labels.extend(&row.labels);
        labels.resize(soft + seq, IGNORE_INDEX);
        labels
    };
    rows.iter().map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_stands_right_behind_the_prompt_and_alone_is_learned() {
        // 2 begins and ends, 9 pads; two soft tokens.
        let rows = [
            SplicedRow::from_tokens(vec![2, 10, 11], &[20, 21, 2]),
            SplicedRow::from_tokens(vec![2, 12], &[22, 2]),
        ];
        assert_eq!(rows[1].ids, [2, 12, 22, 2]);
        const NO: i64 = IGNORE_INDEX;
        let expected = [vec![NO, NO, NO, NO, NO, 20, 21, 2], vec![NO, NO, NO, NO, 22, 2, NO, NO]];
        assert_eq!(batch_labels(&rows, 2), expected);
    }

    #[test]
    fn long_texts_are_cut_as_the_reference_cuts_them() {
        let bytes = vigc_llm::tokenizer::train::llama_bpe(["a b c d"], 270).unwrap().to_bytes();
        let reference = vigc_llm::tokenizer::SpecialTokens::upstream();
        let tokenizer = TextTokenizer::from_bytes("tiny", &bytes, &reference).unwrap();
        let row = SplicedRow::new(&tokenizer, &"a ".repeat(200), &"b ".repeat(400)).unwrap();
        let prompt = row.labels.iter().filter(|&&label| label == IGNORE_INDEX).count();
        assert_eq!((prompt, row.ids.len() - prompt), (MAX_INPUT, MAX_OUTPUT - 1));
        assert_ne!(row.ids[0], tokenizer.bos_id(), "the beginning is what a long prompt loses");
        assert_ne!(row.ids.last(), Some(&tokenizer.eos_id()), "a long answer loses its end");
        let short = SplicedRow::new(&tokenizer, "a", "b").unwrap();
        assert_eq!(short.ids[0], tokenizer.bos_id());
        assert_eq!(short.ids.last(), Some(&tokenizer.eos_id()));
    }
}
