//! Special tokens that configurations name wrongly.
//!
//! The published configurations of InstructBLIP give ids that their tokenizer contradicts (0 to begin and 1 to end, for
//! `</s>`, 2), and a model that follows them writes on and on. The tokenizer's ids are used, and what says otherwise is named.

use std::path::Path;

use serde::Deserialize;
use vigc_core::files::read_json;
use vigc_llm::tokenizer::TextTokenizer;

use crate::Result;

/// The ids of a `config.json`'s `text_config`, or of a `generation_config.json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StoredIds {
    bos_token_id: Option<i64>,
    eos_token_id: Option<EndIds>,
    pad_token_id: Option<i64>,
}

/// The language model's part of a `config.json`.
#[derive(Deserialize)]
struct StoredTextIds {
    #[serde(default)]
    text_config: StoredIds,
}

/// Reads the special tokens that a folder's configuration names for its language model, and warns of those that contradict
/// the tokenizer, which counts.
///
/// # Errors
///
/// [`Error::Core`](crate::Error::Core) if `config.json` or `generation_config.json` cannot be read.
pub fn read_stored_ids(folder: &Path, tokenizer: &TextTokenizer) -> Result<StoredIds> {
    let stored: StoredTextIds = read_json(folder.join("config.json"))?;
    let mut contradictions = stored.text_config.contradictions("config.json", tokenizer);
    let generation = folder.join("generation_config.json");
    if generation.is_file() {
        let stored: StoredIds = read_json(generation)?;
        contradictions.extend(stored.contradictions("generation_config.json", tokenizer));
    }
    for sentence in contradictions {
        tracing::warn!("{}/{sentence}", folder.display());
    }
    Ok(stored.text_config)
}

/// The same from the content of a `config.json`, without warnings.
#[cfg(feature = "mini")]
pub(crate) fn parse_stored_ids(json: &[u8]) -> serde_json::Result<StoredIds> {
    serde_json::from_slice::<StoredTextIds>(json).map(|stored| stored.text_config)
}

/// A file may name several tokens that end a text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum EndIds {
    One(i64),
    Many(Vec<i64>),
}

/// `<s>`, which Vicuna's own configuration begins texts with.
const VICUNA_BOS: u32 = 1;

impl StoredIds {
    /// What transformers 4.28.1 begins the texts of this language model with, unseen by the model.
    ///
    /// Of a configuration that names another end than the tokenizer's nothing is believed, and it is Vicuna's token.
    #[must_use]
    pub fn dummy_bos(&self, tokenizer: &TextTokenizer, words: usize) -> u32 {
        let stored =
            self.bos_token_id.filter(|_| self.end(tokenizer) == Some(tokenizer.eos_id().into()));
        let known =
            stored.and_then(|id| u32::try_from(id).ok()).filter(|&id| (id as usize) < words);
        known.unwrap_or(VICUNA_BOS)
    }

    /// The token that ends a text, the tokenizer's if it is among several.
    fn end(&self, tokenizer: &TextTokenizer) -> Option<i64> {
        match self.eos_token_id.as_ref()? {
            EndIds::One(id) => Some(*id),
            EndIds::Many(ids) => ids
                .iter()
                .copied()
                .find(|&id| id == i64::from(tokenizer.eos_id()))
                .or(ids.first().copied()),
        }
    }

    /// A sentence for each id that is not the tokenizer's.
    fn contradictions(&self, file: &str, tokenizer: &TextTokenizer) -> Vec<String> {
        let end = self.end(tokenizer);
        // A begin token beside the right end token is Vicuna's own, which the reference's rules need.
        let begin = self.bos_token_id.filter(|_| end != Some(tokenizer.eos_id().into()));
        let all = [
            ("bos_token_id", begin, tokenizer.bos_id()),
            ("eos_token_id", end, tokenizer.eos_id()),
            ("pad_token_id", self.pad_token_id, tokenizer.pad_id()),
        ];
        let wrong = all.into_iter().filter_map(|(key, stored, used)| {
            stored.filter(|&stored| stored != i64::from(used)).map(|stored| (key, stored, used))
        });
        wrong
            .map(|(key, stored, used)| {
                format!("{file}: {key} is {stored}, but the tokenizer's {used} is used")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use vigc_llm::tokenizer::SpecialTokens;

    use super::*;

    #[test]
    fn what_the_tokenizer_contradicts_is_named() {
        let bytes = vigc_mini::file("tokenizer.json").unwrap();
        let tokenizer =
            TextTokenizer::from_bytes("tokenizer.json", bytes, &SpecialTokens::upstream()).unwrap();
        let said = |json: &str| {
            let ids: StoredIds = serde_json::from_str(json).unwrap();
            ids.contradictions("config.json", &tokenizer).join("\n")
        };
        let published = r#"{"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": -1}"#;
        let text = said(published);
        assert!(text.contains("bos_token_id is 0, but the tokenizer's 2 is used"), "{text}");
        assert!(
            text.contains("eos_token_id is 1") && text.contains("pad_token_id is -1"),
            "{text}"
        );
        assert_eq!(
            said(r#"{"bos_token_id": 2, "eos_token_id": [7, 2], "pad_token_id": null}"#),
            ""
        );
        assert_eq!(said(r#"{"bos_token_id": 1, "eos_token_id": 2}"#), "");
        assert_eq!(said("{}"), "");
        let dummy = |json: &str| {
            let ids: StoredIds = serde_json::from_str(json).unwrap();
            ids.dummy_bos(&tokenizer, 800)
        };
        for (json, expected) in [
            (published, 1),
            ("{}", 1),
            (r#"{"bos_token_id": 0, "eos_token_id": 2}"#, 0),
            (r#"{"bos_token_id": 2, "eos_token_id": [7, 2]}"#, 2),
            (r#"{"bos_token_id": 800, "eos_token_id": 2}"#, 1),
            (r#"{"bos_token_id": -1, "eos_token_id": 2}"#, 1),
        ] {
            assert_eq!(dummy(json), expected, "{json}");
        }
    }
}
