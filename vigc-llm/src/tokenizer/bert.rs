//! The Q-Former's tokenizer.

use std::path::Path;

use tokenizers::Tokenizer;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, decoders};

use super::{encode_pieces, read_tokenizer, required_id, tokenizer_from_bytes};
use crate::{Error, Result};

/// The number of words of BERT's published vocabulary.
const BERT_VOCAB_SIZE: usize = 30522;

/// BERT's uncased `WordPiece`.
///
/// A text that is too long loses its beginning: the question and what has been answered so far are
/// at its end, and the reference cuts there too. BERT's published vocabulary gets `[DEC]`, which no
/// text begins with.
#[derive(Debug, Clone)]
pub struct BertTokenizer {
    tokenizer: Tokenizer,
    cls: u32,
    sep: u32,
    pad: u32,
    max_len: usize,
}

impl BertTokenizer {
    /// The reference's `max_txt_len`.
    pub const MAX_LEN: usize = 128;

    /// Reads `tokenizer.json`, or else `vocab.txt`, from a folder.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be read, [`Error::Tokenizer`] if it is no tokenizer and
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

    /// Reads a `tokenizer.json` held in memory; errors call it `name`.
    ///
    /// # Errors
    ///
    /// As [`BertTokenizer::from_dir`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let path = Path::new(name);
        Self::new(tokenizer_from_bytes(bytes, path)?, path)
    }

    /// BERT's uncased pipeline over the words of `vocab.txt`, one a line.
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

    /// Sets the number of tokens that a text keeps at most, `[CLS]` and `[SEP]` included.
    #[must_use]
    pub fn with_max_len(mut self, max_len: usize) -> Self {
        self.max_len = max_len;
        self
    }

    /// `[CLS]`, the text's last tokens, `[SEP]`.
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

    /// The token that fills up the rows of a batch.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// The id of one token, special ones included.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// The number of tokens, special ones included.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }
}
