//! Reading `tokenizer.json`, encoding and decoding with the `tokenizers` crate.
//!
//! `tokenizers` panics on some files, and lengthens texts without limit if a file says so. Therefore a file is checked before
//! `tokenizers` reads it, and settings that neither LLaMA's nor BERT's tokenizer uses are errors.

use std::path::Path;

use serde_json::{Map, Value};
use tokenizers::Tokenizer;

use crate::{Error, Result};

/// The maximum factor by which replacements may lengthen a text, and the maximum number of bytes put before it.
const MAX_GROWTH: usize = 64;

/// Reads `tokenizer.json`. Its padding and truncation are switched off.
pub(super) fn read_tokenizer(path: &Path) -> Result<Tokenizer> {
    let bytes = std::fs::read(path)
        .map_err(|source| vigc_core::Error::Read { path: path.to_owned(), source })?;
    tokenizer_from_bytes(&bytes, path)
}

/// Like [`read_tokenizer`], but takes the contents of a file.
pub(super) fn tokenizer_from_bytes(bytes: &[u8], path: &Path) -> Result<Tokenizer> {
    let fail = |source| Error::Tokenizer { path: path.to_owned(), source };
    let checked = checked(bytes).map_err(fail)?;
    let mut tokenizer = Tokenizer::from_bytes(checked).map_err(fail)?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(fail)?;
    Ok(tokenizer)
}

/// The id of a token that the tokenizer must have.
pub(super) fn required_id(tokenizer: &Tokenizer, token: &str, path: &Path) -> Result<u32> {
    tokenizer
        .token_to_id(token)
        .ok_or_else(|| Error::SpecialToken { path: path.to_owned(), token: token.to_owned() })
}

/// Encodes without adding special tokens.
pub(super) fn encode_pieces(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    let fail = |source| Error::Text { text: text.chars().take(80).collect(), source };
    Ok(tokenizer.encode_fast(text, false).map_err(fail)?.get_ids().to_vec())
}

/// Decodes without special tokens.
pub(super) fn decode_text(tokenizer: &Tokenizer, ids: &[u32]) -> Result<String> {
    let fail = |source| Error::Text { text: format!("{ids:?}"), source };
    tokenizer.decode(ids, true).map_err(fail)
}

/// Checks a file. Returns it without duplicate keys, of which `tokenizers` would read both.
fn checked(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let file: Map<String, Value> = serde_json::from_slice(bytes)?;
    if let Some(Value::Object(model)) = file.get("model") {
        check_model(model)?;
    }
    for key in ["normalizer", "pre_tokenizer", "decoder"] {
        if let Some(part) = file.get(key) {
            check_part(part, &mut 1).map_err(|problem| format!("{key} {problem}"))?;
        }
    }
    Ok(serde_json::to_vec(&file)?)
}

/// Files of 2020 do not name the type of their model.
fn check_model(model: &Map<String, Value>) -> Result<(), String> {
    let text = |key: &str| model.get(key).and_then(Value::as_str);
    if let Some(kind) = text("type").filter(|kind| !matches!(*kind, "BPE" | "WordPiece")) {
        return Err(format!("model is {kind:?}, expected \"BPE\" or \"WordPiece\""));
    }
    let prefix = text("continuing_subword_prefix").unwrap_or_default();
    if model.contains_key("merges") && !prefix.is_empty() {
        return Err(format!("model has the continuing_subword_prefix {prefix:?}, expected none"));
    }
    Ok(())
}

/// Checks one step of the pipeline and its parts.
fn check_part(part: &Value, growth: &mut usize) -> Result<(), String> {
    let part = match part {
        Value::Array(parts) => return parts.iter().try_for_each(|part| check_part(part, growth)),
        Value::Object(part) => part,
        _ => return Ok(()),
    };
    let text = |key: &str| part.get(key).and_then(Value::as_str);
    if text("type") == Some("Precompiled") || part.contains_key("precompiled_charsmap") {
        return Err("has a precompiled character map, which is not supported".to_owned());
    }
    if part.get("length").and_then(Value::as_u64) == Some(0) {
        return Err("splits texts into parts of length 0, expected at least 1".to_owned());
    }
    let before = text("prepend").map_or(0, str::len);
    if let Some(content) = text("content").filter(|_| part.contains_key("pattern")) {
        *growth = growth.saturating_mul(1 + content.len());
    }
    if before.max(*growth) > MAX_GROWTH {
        return Err(format!("lengthens texts, expected at most {MAX_GROWTH} times the length"));
    }
    part.values().try_for_each(|value| check_part(value, growth))
}
