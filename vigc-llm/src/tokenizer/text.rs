//! The language model's tokenizer.

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

use super::hugging_face::{decode_text, encode_pieces, read_tokenizer, tokenizer_from_bytes};
use super::pieces::{PieceTokenizer, Spaces};
use super::special_tokens::{SpecialTokens, TokenizerConfig};
use crate::{Error, Result};

/// A byte-pair encoding in LLaMA's style. It falls back to bytes, so it can encode every text.
#[derive(Debug, Clone)]
pub struct TextTokenizer {
    tokenizer: Inner,
    bos: u32,
    eos: u32,
    pad: u32,
}

#[derive(Debug, Clone)]
enum Inner {
    /// The pipeline of a `tokenizer.json`.
    Pipeline(Tokenizer),
    /// A vocabulary with LLaMA's rules.
    Pieces(PieceTokenizer),
}

impl TextTokenizer {
    /// Reads a folder: the special tokens of `tokenizer_config.json`, and `tokenizer.json` or, if there is no such file,
    /// SentencePiece's `tokenizer.model`.
    ///
    /// [`SpecialTokens::upstream`] replaces tokens that the configuration does not name. The end token pads if there is no
    /// padding token.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be read, [`Error::Tokenizer`] if it is not a tokenizer,
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

    /// Reads Vicuna's vocabulary from a folder, for the rules of the upstream program.
    ///
    /// The special tokens are those of [`SpecialTokens::upstream`]. A warning reports other ones in `tokenizer_config.json`.
    /// `[PAD]` is appended if the vocabulary lacks it; its id is 32000 in a vocabulary of 32000 tokens. As in transformers
    /// 4.28.1, a text is split at special tokens, the white space next to them is removed, and every part between them
    /// begins with a space of its own.
    ///
    /// # Errors
    ///
    /// As [`TextTokenizer::from_dir`].
    pub fn vicuna_from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let upstream = SpecialTokens::upstream();
        let configured = TokenizerConfig::from_dir(folder.as_ref())?;
        for (name, configured, used) in configured.differences(&upstream) {
            let folder = folder.as_ref().display();
            tracing::warn!("{folder}: {name} is {configured:?}, but {used:?} is used");
        }
        let path = vocabulary_path(folder.as_ref());
        let pieces = PieceTokenizer::open(&path, Spaces::Stripped, &[&upstream.pad])?;
        Self::new(Inner::Pieces(pieces), &upstream, &path)
    }

    /// Reads the contents of a `tokenizer.json`. Errors call the file `name`.
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

    /// The tokens of a prompt: the begin token and the text's tokens, without an end token.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text cannot be encoded.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = vec![self.bos];
        ids.extend(self.encode_pieces(text)?);
        Ok(ids)
    }

    /// The tokens of a text, without a begin and an end token.
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

    /// The tokens of an answer: the text's tokens and the end token.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text cannot be encoded.
    pub fn encode_target(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode_pieces(text)?;
        ids.push(self.eos);
        Ok(ids)
    }

    /// The id of a token, which may be a special one. `None` if the vocabulary lacks it.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_id(token)
    }

    /// The text of tokens, without special tokens and without white space at its ends.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the tokens cannot be decoded.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(self.decode_untrimmed(ids)?.trim().to_owned())
    }

    /// The text of tokens, without special tokens and without the space that encoding puts before a text.
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

    /// The token that pads the rows of a batch.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// The number of tokens in the vocabulary, special ones included.
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

/// The path of `tokenizer.json`, or that of `tokenizer.model` if only that file exists.
fn vocabulary_path(folder: &Path) -> PathBuf {
    let (json, model) = (folder.join("tokenizer.json"), folder.join("tokenizer.model"));
    if !json.is_file() && model.is_file() { model } else { json }
}
