//! The Q-Former's tokenizer.

use std::path::Path;

use tokenizers::Tokenizer;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, decoders};

use super::hugging_face::{encode_pieces, read_tokenizer, required_id, tokenizer_from_bytes};
use crate::{Error, Result};

/// The number of tokens in BERT's published vocabulary.
const BERT_VOCAB_SIZE: usize = 30522;

/// BERT's uncased `WordPiece`.
///
/// A text that is too long loses its beginning, as upstream, because the question and the answer so far are at its end.
/// BERT's published vocabulary gets the token `[DEC]`, as upstream.
#[derive(Debug, Clone)]
pub struct BertTokenizer {
    tokenizer: Tokenizer,
    cls: u32,
    sep: u32,
    pad: u32,
    max_len: usize,
}

impl BertTokenizer {
    /// The `max_txt_len` of the upstream program: the maximum number of tokens, `[CLS]` and `[SEP]` included.
    pub const MAX_LEN: usize = 128;

    /// Reads `tokenizer.json` from a folder, or `vocab.txt` if there is no such file.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be read, [`Error::Tokenizer`] if it is not a tokenizer,
    /// [`Error::SpecialToken`] if it lacks `[CLS]`, `[SEP]` or `[PAD]`.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let (whole, words) = (folder.as_ref().join("tokenizer.json"), "vocab.txt");
        if whole.is_file() {
            return Self::new(read_tokenizer(&whole)?, &whole);
        }
        let path = folder.as_ref().join(words);
        let vocabulary = std::fs::read(&path)
            .map_err(|source| vigc_core::Error::Read { path: path.clone(), source })?;
        Self::from_vocabulary(&vocabulary, &path)
    }

    /// Reads the contents of a `tokenizer.json`. Errors call the file `name`.
    ///
    /// # Errors
    ///
    /// As [`BertTokenizer::from_dir`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let path = Path::new(name);
        Self::new(tokenizer_from_bytes(bytes, path)?, path)
    }

    /// BERT's uncased pipeline with the vocabulary of `vocab.txt`, one token a line.
    fn from_vocabulary(vocabulary: &[u8], path: &Path) -> Result<Self> {
        let fail = |source| Error::Tokenizer { path: path.to_owned(), source };
        let vocabulary = WordPiece::read_bytes(vocabulary).map_err(fail)?;
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        let special = special.iter().filter(|token| vocabulary.contains_key(**token));
        let special: Vec<_> = special.map(|token| AddedToken::from(*token, true)).collect();
        let model = WordPiece::builder().vocab(vocabulary).build().map_err(fail)?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer
            .with_normalizer(Some(BertNormalizer::default()))
            .with_pre_tokenizer(Some(BertPreTokenizer))
            .with_decoder(Some(decoders::wordpiece::WordPiece::default()));
        tokenizer.add_special_tokens(&special);
        Self::new(tokenizer, path)
    }

    fn new(mut tokenizer: Tokenizer, path: &Path) -> Result<Self> {
        if tokenizer.get_vocab_size(true) == BERT_VOCAB_SIZE {
            tokenizer.add_special_tokens(&[AddedToken::from("[DEC]", true)]);
        }
        Ok(Self {
            cls: required_id(&tokenizer, "[CLS]", path)?,
            sep: required_id(&tokenizer, "[SEP]", path)?,
            pad: required_id(&tokenizer, "[PAD]", path)?,
            tokenizer,
            max_len: Self::MAX_LEN,
        })
    }

    /// Sets the maximum number of tokens of a text, `[CLS]` and `[SEP]` included.
    #[must_use]
    pub fn with_max_len(mut self, max_len: usize) -> Self {
        self.max_len = max_len;
        self
    }

    /// The tokens of a text: `[CLS]`, the last tokens of the text, `[SEP]`.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text cannot be encoded.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let pieces = encode_pieces(&self.tokenizer, text)?;
        let kept = pieces.len().min(self.max_len.saturating_sub(2));
        let mut ids = Vec::with_capacity(kept + 2);
        ids.push(self.cls);
        ids.extend_from_slice(&pieces[pieces.len() - kept..]);
        ids.push(self.sep);
        Ok(ids)
    }

    /// The token that pads the rows of a batch.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// The id of a token, which may be a special one. `None` if the vocabulary lacks it.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// The number of tokens in the vocabulary, special ones included.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }
}
