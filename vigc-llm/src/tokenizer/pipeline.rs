//! What a `tokenizer.json` may ask for.
//!
//! `tokenizers` panics on some files, and lengthens texts without limit when it is told to. So a file is
//! looked through before, and what neither LLaMA's nor BERT's tokenizer does is refused.

use serde_json::{Map, Value};

/// How many times longer replacements may make a text, and how many bytes may be put before it.
const MAX_GROWTH: usize = 64;

/// The file without keys that are there twice, of which `tokenizers` would read both.
pub(super) fn checked(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
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

/// Files of 2020 do not say what their model is.
fn check_model(model: &Map<String, Value>) -> Result<(), String> {
    let text = |key: &str| model.get(key).and_then(Value::as_str);
    if let Some(kind) = text("type").filter(|kind| !matches!(*kind, "BPE" | "WordPiece")) {
        return Err(format!("model is {kind:?}, expected \"BPE\" or \"WordPiece\""));
    }
    let prefix = text("continuing_subword_prefix").unwrap_or_default();
    if model.contains_key("merges") && !prefix.is_empty() {
        return Err(format!("model merges pieces that begin with {prefix:?}, expected nothing"));
    }
    Ok(())
}

/// Looks through one step of the pipeline and those it is made of.
fn check_part(part: &Value, growth: &mut usize) -> Result<(), String> {
    let part = match part {
        Value::Array(parts) => return parts.iter().try_for_each(|part| check_part(part, growth)),
        Value::Object(part) => part,
        _ => return Ok(()),
    };
    let text = |key: &str| part.get(key).and_then(Value::as_str);
    if text("type") == Some("Precompiled") || part.contains_key("precompiled_charsmap") {
        return Err("maps characters by a precompiled table, which is not supported".to_owned());
    }
    if part.get("length").and_then(Value::as_u64) == Some(0) {
        return Err("cuts texts into parts of length 0, expected at least 1".to_owned());
    }
    let before = text("prepend").map_or(0, str::len);
    if let Some(content) = text("content").filter(|_| part.contains_key("pattern")) {
        *growth = growth.saturating_mul(1 + content.len());
    }
    if before.max(*growth) > MAX_GROWTH {
        return Err(format!("makes texts longer, expected at most {MAX_GROWTH} times as long"));
    }
    part.values().try_for_each(|value| check_part(value, growth))
}
