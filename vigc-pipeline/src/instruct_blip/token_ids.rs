//! Special tokens that configurations name wrongly.
//!
//! The published configurations of InstructBLIP give ids that their tokenizer contradicts (0 to begin and 1 to end, for
//! `</s>`, 2), and a model that follows them writes on and on. The tokenizer's ids are used, and what says otherwise is named.

use serde::Deserialize;
use vigc_llm::tokenizer::TextTokenizer;

/// The ids of a `config.json`'s `text_config`, or of a `generation_config.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StoredIds {
    bos_token_id: Option<i64>,
    eos_token_id: Option<EndIds>,
    pad_token_id: Option<i64>,
}

/// A file may name several tokens that end a text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum EndIds {
    One(i64),
    Many(Vec<i64>),
}

impl StoredIds {
    /// A sentence for each id that is not the tokenizer's.
    pub(super) fn contradictions(&self, file: &str, tokenizer: &TextTokenizer) -> Vec<String> {
        let end = match &self.eos_token_id {
            None => None,
            Some(EndIds::One(id)) => Some(*id),
            Some(EndIds::Many(ids)) => ids
                .iter()
                .copied()
                .find(|&id| id == i64::from(tokenizer.eos_id()))
                .or(ids.first().copied()),
        };
        let all = [
            ("bos_token_id", self.bos_token_id, tokenizer.bos_id()),
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
        let bytes = include_bytes!("../../assets/vigc-mini/tokenizer.json");
        let tokenizer =
            TextTokenizer::from_bytes("tokenizer.json", bytes, &SpecialTokens::reference())
                .unwrap();
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
        assert_eq!(said("{}"), "");
    }
}
