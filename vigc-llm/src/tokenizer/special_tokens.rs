//! The tokens that begin, end and pad texts, as a folder's configuration names them or as the
//! reference sets them.

use std::path::Path;

use serde::Deserialize;
use vigc_core::files::read_json;

use crate::Result;

/// Which tokens begin and end a text and fill up a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begins every text.
    pub bos: String,
    /// Ends every answer.
    pub eos: String,
    /// Fills up the rows of a batch.
    pub pad: String,
}

impl SpecialTokens {
    /// What the reference sets: a text begins with the token that ends it.
    ///
    /// LLaMA's own `<s>` is never used; models trained this way write worse behind it.
    #[must_use]
    pub fn reference() -> Self {
        Self { bos: "</s>".to_owned(), eos: "</s>".to_owned(), pad: "[PAD]".to_owned() }
    }
}

/// The part of `tokenizer_config.json` that is read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenizerConfig {
    bos_token: Option<Token>,
    eos_token: Option<Token>,
    unk_token: Option<Token>,
    pad_token: Option<Token>,
}

/// A special token as old and new files write it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Token {
    Plain(String),
    Added { content: String },
}

impl Token {
    fn content(&self) -> &str {
        match self {
            Self::Plain(content) | Self::Added { content } => content,
        }
    }

    fn into_content(self) -> String {
        match self {
            Self::Plain(content) | Self::Added { content } => content,
        }
    }
}

impl TokenizerConfig {
    /// Reads it from a folder; one that is not there names no tokens.
    pub(super) fn from_dir(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer_config.json");
        if path.is_file() { Ok(read_json(path)?) } else { Ok(Self::default()) }
    }

    /// The names of tokens that are configured otherwise, with both tokens.
    pub(super) fn differences<'a>(
        &'a self,
        tokens: &'a SpecialTokens,
    ) -> impl Iterator<Item = (&'static str, &'a str, &'a str)> {
        // What is unknown is the end token too in the reference.
        let all = [
            ("bos_token", &self.bos_token, &tokens.bos),
            ("eos_token", &self.eos_token, &tokens.eos),
            ("unk_token", &self.unk_token, &tokens.eos),
            ("pad_token", &self.pad_token, &tokens.pad),
        ];
        let with_both = |(name, configured, used): (_, &'a Option<Token>, &'a String)| {
            Some((name, configured.as_ref()?.content(), used.as_str()))
        };
        all.into_iter().filter_map(with_both).filter(|(_, configured, used)| configured != used)
    }

    pub(super) fn into_special_tokens(self) -> SpecialTokens {
        let or = |token: Option<Token>, default| token.map_or(default, Token::into_content);
        let reference = SpecialTokens::reference();
        SpecialTokens {
            bos: or(self.bos_token, reference.bos),
            eos: or(self.eos_token, reference.eos),
            pad: or(self.pad_token, reference.pad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_name() {
        let config =
            r#"{"bos_token": {"content": "<s>"}, "eos_token": "</s>", "unk_token": "<unk>"}"#;
        let config: TokenizerConfig = serde_json::from_str(config).unwrap();
        let reference = SpecialTokens::reference();
        let differences: Vec<_> = config.differences(&reference).collect();
        assert_eq!(differences, [("bos_token", "<s>", "</s>"), ("unk_token", "<unk>", "</s>")]);
    }
}
