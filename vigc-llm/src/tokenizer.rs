//! Text to token ids and back: the language model's byte-pair encoding and the Q-Former's
//! `WordPiece`, both read from the files of a Hugging Face folder, the former from SentencePiece's too.

mod bert;
mod pieces;
mod pipeline;
mod sentence_piece;
mod special_tokens;
mod text;
pub mod train;

use std::path::Path;

use tokenizers::Tokenizer;

pub use bert::BertTokenizer;
pub use special_tokens::SpecialTokens;
pub use text::TextTokenizer;

use crate::{Error, Result};

/// Reads `tokenizer.json` without the padding and truncation that it may ask for.
fn read_tokenizer(path: &Path) -> Result<Tokenizer> {
    let bytes = std::fs::read(path)
        .map_err(|source| vigc_core::Error::Read { path: path.to_owned(), source })?;
    tokenizer_from_bytes(&bytes, path)
}

fn tokenizer_from_bytes(bytes: &[u8], path: &Path) -> Result<Tokenizer> {
    let fail = |source| Error::Tokenizer { path: path.to_owned(), source };
    let checked = pipeline::checked(bytes).map_err(fail)?;
    let mut tokenizer = Tokenizer::from_bytes(checked).map_err(fail)?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(fail)?;
    Ok(tokenizer)
}

/// The id of a token that must be there.
fn required_id(tokenizer: &Tokenizer, token: &str, path: &Path) -> Result<u32> {
    tokenizer
        .token_to_id(token)
        .ok_or_else(|| Error::SpecialToken { path: path.to_owned(), token: token.to_owned() })
}

/// Encodes without adding special tokens.
fn encode_pieces(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    let fail = |source| Error::Text { text: text.chars().take(80).collect(), source };
    Ok(tokenizer.encode_fast(text, false).map_err(fail)?.get_ids().to_vec())
}

/// Decodes without special tokens.
fn decode_text(tokenizer: &Tokenizer, ids: &[u32]) -> Result<String> {
    let fail = |source| Error::Text { text: format!("{ids:?}"), source };
    tokenizer.decode(ids, true).map_err(fail)
}
