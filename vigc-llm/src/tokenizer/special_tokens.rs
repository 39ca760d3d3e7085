//! The tokens that begin, end and pad texts.

use std::path::Path;

use serde::Deserialize;
use vigc_core::files::read_json;

use crate::Result;

/// The tokens that begin and end a text and pad a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialTokens {
    /// The token that begins every text.
    pub bos: String,
    /// The token that ends every answer.
    pub eos: String,
    /// The token that pads the rows of a batch.
    pub pad: String,
}

impl SpecialTokens {
    /// The tokens of the upstream program, in which a text begins with the token that ends it.
    ///
    /// Upstream never uses LLaMA's own `<s>`. Models that were trained this way write worse after it.
    #[must_use]
    pub fn upstream() -> Self {
        Self { bos: "</s>".to_owned(), eos: "</s>".to_owned(), pad: "[PAD]".to_owned() }
    }
}

/// The fields of `tokenizer_config.json` that are read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenizerConfig {
    bos_token: Option<Token>,
    eos_token: Option<Token>,
    unk_token: Option<Token>,
    pad_token: Option<Token>,
}

/// A special token in the format of old or new files.
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
    /// Reads the file in a folder. A missing file names no tokens.
    pub(super) fn from_dir(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer_config.json");
        if path.is_file() { Ok(read_json(path)?) } else { Ok(Self::default()) }
    }

    /// The tokens that the file configures differently: the field's name, the configured token and the one that is used.
    pub(super) fn differences<'a>(
        &'a self,
        tokens: &'a SpecialTokens,
    ) -> impl Iterator<Item = (&'static str, &'a str, &'a str)> {
        // Upstream also uses the end token for unknown pieces.
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
        let upstream = SpecialTokens::upstream();
        SpecialTokens {
            bos: or(self.bos_token, upstream.bos),
            eos: or(self.eos_token, upstream.eos),
            pad: or(self.pad_token, upstream.pad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_names() {
        let config =
            r#"{"bos_token": {"content": "<s>"}, "eos_token": "</s>", "unk_token": "<unk>"}"#;
        let config: TokenizerConfig = serde_json::from_str(config).unwrap();
        let upstream = SpecialTokens::upstream();
        let differences: Vec<_> = config.differences(&upstream).collect();
        assert_eq!(differences, [("bos_token", "<s>", "</s>"), ("unk_token", "<unk>", "</s>")]);
    }
}
