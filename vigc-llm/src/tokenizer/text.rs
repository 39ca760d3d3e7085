//! The language model's tokenizer.

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

use super::pieces::{PieceTokenizer, Spaces};
use super::special_tokens::{SpecialTokens, TokenizerConfig};
use super::{decode_text, encode_pieces, read_tokenizer, tokenizer_from_bytes};
use crate::{Error, Result};

/// A byte-pair encoding in LLaMA's style that falls back to bytes, so every text has tokens.
#[derive(Debug, Clone)]
pub struct TextTokenizer {
    tokenizer: Inner,
    bos: u32,
    eos: u32,
    pad: u32,
}

#[derive(Debug, Clone)]
enum Inner {
    /// What `tokenizer.json` says.
    Pipeline(Tokenizer),
    /// LLaMA's rules over a vocabulary.
    Pieces(PieceTokenizer),
}

impl TextTokenizer {
    /// Reads `tokenizer.json`, or else SentencePiece's `tokenizer.model`, and the special tokens of
    /// `tokenizer_config.json` from a folder.
    ///
    /// Tokens that the configuration does not name are [`SpecialTokens::reference`]'s, and the end
    /// token pads if there is no padding token.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be read, [`Error::Tokenizer`] if it is no tokenizer and
    /// [`Error::SpecialToken`] if it lacks a special token.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let special_tokens = TokenizerConfig::from_dir(folder.as_ref())?.into_special_tokens();
        let path = vocabulary_path(folder.as_ref());
        let inner = match path.ends_with("tokenizer.json") {
            true => Inner::Pipeline(read_tokenizer(&path)?),
            false => Inner::Pieces(PieceTokenizer::open(&path, Spaces::Kept, &[])?),
        };
        Self::new(inner, &special_tokens, &path)
    }

    /// Reads Vicuna's vocabulary from a folder, and uses it as the reference does.
    ///
    /// The special tokens are [`SpecialTokens::reference`]'s, and a warning tells where
    /// `tokenizer_config.json` has others. `[PAD]` is appended if it is not there: 32000 in a
    /// vocabulary of 32000. Special tokens in a text are cut out with the spaces around them, and
    /// every part between them begins with a space of its own, as in transformers 4.28.1.
    ///
    /// # Errors
    ///
    /// As [`TextTokenizer::from_dir`].
    pub fn vicuna_from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let reference = SpecialTokens::reference();
        let configured = TokenizerConfig::from_dir(folder.as_ref())?;
        for (name, configured, used) in configured.differences(&reference) {
            let folder = folder.as_ref().display();
            tracing::warn!("{folder}: {name} is {configured:?} there, used is {used:?}");
        }
        let path = vocabulary_path(folder.as_ref());
        let pieces = PieceTokenizer::open(&path, Spaces::Stripped, &[&reference.pad])?;
        Self::new(Inner::Pieces(pieces), &reference, &path)
    }

    /// Reads a `tokenizer.json` held in memory; errors call it `name`.
    ///
    /// # Errors
    ///
    /// As [`TextTokenizer::from_dir`].
    pub fn from_bytes(name: &str, bytes: &[u8], special_tokens: &SpecialTokens) -> Result<Self> {
        let path = Path::new(name);
        Self::new(Inner::Pipeline(tokenizer_from_bytes(bytes, path)?), special_tokens, path)
    }

    fn new(tokenizer: Inner, special_tokens: &SpecialTokens, path: &Path) -> Result<Self> {
        let required = |token: &String| {
            tokenizer
                .token_id(token)
                .ok_or_else(|| Error::SpecialToken { path: path.to_owned(), token: token.clone() })
        };
        let eos = required(&special_tokens.eos)?;
        Ok(Self {
            bos: required(&special_tokens.bos)?,
            pad: tokenizer.token_id(&special_tokens.pad).unwrap_or(eos),
            eos,
            tokenizer,
        })
    }

    /// The begin token and the text's tokens, without an end token: a prompt.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text cannot be encoded.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = vec![self.bos];
        ids.extend(self.encode_pieces(text)?);
        Ok(ids)
    }

    /// The text's tokens alone.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text cannot be encoded.
    pub fn encode_pieces(&self, text: &str) -> Result<Vec<u32>> {
        match &self.tokenizer {
            Inner::Pipeline(tokenizer) => encode_pieces(tokenizer, text),
            Inner::Pieces(pieces) => pieces.encode(text),
        }
    }

    /// The text's tokens and the end token: what a model learns to write after a prompt.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text cannot be encoded.
    pub fn encode_target(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode_pieces(text)?;
        ids.push(self.eos);
        Ok(ids)
    }

    /// The id of one token, special ones included.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_id(token)
    }

    /// The text of tokens, without special tokens or surrounding white space.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the tokens cannot be decoded.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(self.decode_untrimmed(ids)?.trim().to_owned())
    }

    /// The text of tokens, without special tokens and the one space that begins every text.
    pub(crate) fn decode_untrimmed(&self, ids: &[u32]) -> Result<String> {
        match &self.tokenizer {
            Inner::Pipeline(tokenizer) => decode_text(tokenizer, ids),
            Inner::Pieces(pieces) => Ok(pieces.decode(ids)),
        }
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
        match &self.tokenizer {
            Inner::Pipeline(tokenizer) => tokenizer.get_vocab_size(true),
            Inner::Pieces(pieces) => pieces.vocab_size(),
        }
    }
}

impl Inner {
    fn token_id(&self, token: &str) -> Option<u32> {
        match self {
            Self::Pipeline(tokenizer) => tokenizer.token_to_id(token),
            Self::Pieces(pieces) => pieces.token_id(token),
        }
    }
}

/// `tokenizer.json`, unless there is only a `tokenizer.model`.
fn vocabulary_path(folder: &Path) -> PathBuf {
    let (json, model) = (folder.join("tokenizer.json"), folder.join("tokenizer.model"));
    if !json.is_file() && model.is_file() { model } else { json }
}
