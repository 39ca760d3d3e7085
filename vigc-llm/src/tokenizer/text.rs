//! The language model's tokenizer.

use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;
use vigc_core::config::read_json;

use super::{decode_text, encode_pieces, read_tokenizer, required_id, tokenizer_from_bytes};
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

/// A byte-pair encoding in LLaMA's style that falls back to bytes, so every text has tokens.
#[derive(Debug, Clone)]
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    bos: u32,
    eos: u32,
    pad: u32,
}

/// The part of `tokenizer_config.json` that is read.
#[derive(Debug, Default, Deserialize)]
struct TokenizerConfig {
    bos_token: Option<Token>,
    eos_token: Option<Token>,
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
    fn into_content(self) -> String {
        match self {
            Self::Plain(content) | Self::Added { content } => content,
        }
    }
}

impl TextTokenizer {
    /// Reads `tokenizer.json` and the special tokens of `tokenizer_config.json` from a folder.
    ///
    /// Tokens that the configuration does not name are [`SpecialTokens::reference`]'s, and the end
    /// token pads if there is no padding token.
    ///
    /// # Errors
    ///
    /// [`Error::Core`](crate::Error::Core) if a file cannot be read,
    /// [`Error::Tokenizer`](crate::Error::Tokenizer) if it is no tokenizer and
    /// [`Error::SpecialToken`](crate::Error::SpecialToken) if it lacks a special token.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let config = folder.join("tokenizer_config.json");
        let config = match config.is_file() {
            true => read_json::<TokenizerConfig>(config)?,
            false => TokenizerConfig::default(),
        };
        let path = folder.join("tokenizer.json");
        Self::new(read_tokenizer(&path)?, &config.into_special_tokens(), &path)
    }

    /// Reads a `tokenizer.json` held in memory; errors call it `name`.
    ///
    /// # Errors
    ///
    /// As [`TextTokenizer::from_dir`].
    pub fn from_bytes(name: &str, bytes: &[u8], special_tokens: &SpecialTokens) -> Result<Self> {
        let path = Path::new(name);
        Self::new(tokenizer_from_bytes(bytes, path)?, special_tokens, path)
    }

    fn new(tokenizer: Tokenizer, special_tokens: &SpecialTokens, path: &Path) -> Result<Self> {
        let eos = required_id(&tokenizer, &special_tokens.eos, path)?;
        Ok(Self {
            bos: required_id(&tokenizer, &special_tokens.bos, path)?,
            pad: tokenizer.token_to_id(&special_tokens.pad).unwrap_or(eos),
            eos,
            tokenizer,
        })
    }

    /// The begin token and the text's tokens, without an end token: a prompt.
    ///
    /// # Errors
    ///
    /// [`Error::Text`](crate::Error::Text) if the text cannot be encoded.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = vec![self.bos];
        ids.extend(self.encode_pieces(text)?);
        Ok(ids)
    }

    /// The text's tokens alone.
    ///
    /// # Errors
    ///
    /// [`Error::Text`](crate::Error::Text) if the text cannot be encoded.
    pub fn encode_pieces(&self, text: &str) -> Result<Vec<u32>> {
        encode_pieces(&self.tokenizer, text)
    }

    /// The text's tokens and the end token: what a model learns to write after a prompt.
    ///
    /// # Errors
    ///
    /// [`Error::Text`](crate::Error::Text) if the text cannot be encoded.
    pub fn encode_target(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode_pieces(text)?;
        ids.push(self.eos);
        Ok(ids)
    }

    /// The id of one token, special ones included.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// The text of tokens, without special tokens or surrounding white space.
    ///
    /// # Errors
    ///
    /// [`Error::Text`](crate::Error::Text) if the tokens cannot be decoded.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(self.decode_untrimmed(ids)?.trim().to_owned())
    }

    /// The text of tokens, without special tokens and the one space that begins every text.
    pub(crate) fn decode_untrimmed(&self, ids: &[u32]) -> Result<String> {
        decode_text(&self.tokenizer, ids)
    }

    /// The token that begins every text.
    #[must_use]
    pub fn bos_id(&self) -> u32 {
        self.bos
    }

    /// The token that ends every answer.
    #[must_use]
    pub fn eos_id(&self) -> u32 {
        self.eos
    }

    /// The token that fills up the rows of a batch.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// The number of tokens, special ones included.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }
}

impl TokenizerConfig {
    fn into_special_tokens(self) -> SpecialTokens {
        let or = |token: Option<Token>, default| token.map_or(default, Token::into_content);
        let reference = SpecialTokens::reference();
        SpecialTokens {
            bos: or(self.bos_token, reference.bos),
            eos: or(self.eos_token, reference.eos),
            pad: or(self.pad_token, reference.pad),
        }
    }
}
