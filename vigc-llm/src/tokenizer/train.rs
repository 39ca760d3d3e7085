//! Tokenizers trained on a corpus, as folders that transformers opens too.
//!
//! The result depends on the corpus alone: the same texts give the same files.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Trainer,
};
use vigc_core::files::write_json;

use crate::{Error, Result};

/// LLaMA's mark of a space.
const SPACE: char = '▁';

/// A tokenizer as the files that describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedTokenizer {
    tokenizer: Value,
    config: Value,
}

impl TrainedTokenizer {
    /// The contents of `tokenizer.json`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.tokenizer.to_string().into_bytes()
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json` to a folder that exists.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if a file cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        write_json(folder.as_ref().join("tokenizer.json"), &self.tokenizer)?;
        Ok(write_json(folder.as_ref().join("tokenizer_config.json"), &self.config)?)
    }
}

/// Trains a byte-pair encoding like LLaMA's with at most `vocab_size` tokens.
///
/// In this order: `<unk>`, `<s>`, `</s>`, 256 bytes, the corpus' characters, merged pieces, `[PAD]`
/// and `<image>`, which transformers' prompts hold in the place of an image. A space belongs to what
/// follows it; digits and punctuation marks stay pieces of their own. A text begins with `</s>`, as
/// the reference sets it.
///
/// # Errors
///
/// [`Error::TokenizerTraining`] if the corpus holds no text or more characters than the vocabulary
/// has room for.
pub fn llama_bpe(
    corpus: impl IntoIterator<Item = impl AsRef<str>>,
    vocab_size: usize,
) -> Result<TrainedTokenizer> {
    let mut fixed: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).into();
    fixed.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    let words = corpus.into_iter().flat_map(|text| llama_words(text.as_ref()));
    let model = train(&words.collect::<Vec<_>>(), fixed, vocab_size.saturating_sub(2), None)?;
    let size = model["vocab"].as_object().map_or(0, serde_json::Map::len);
    let special = |id: usize, token: &str| {
        json!({"id": id, "content": token, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    };
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [
            special(0, "<unk>"), special(1, "<s>"), special(2, "</s>"), special(size, "[PAD]"),
            special(size + 1, "<image>"),
        ],
        "normalizer": null,
        "pre_tokenizer": {
            "type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": false
        },
        "post_processor": template("</s>", 2, None),
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>",
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
            "byte_fallback": true, "ignore_merges": false,
            "vocab": model["vocab"], "merges": model["merges"],
        },
    });
    let config = json!({
        "tokenizer_class": "LlamaTokenizer", "legacy": false, "add_bos_token": true,
        "add_eos_token": false, "bos_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>",
        "pad_token": "[PAD]", "clean_up_tokenization_spaces": false,
    });
    Ok(TrainedTokenizer { tokenizer, config })
}

/// Trains a lower-case `WordPiece` like BERT's with at most `vocab_size` tokens.
///
/// In this order: `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`, characters inside and at the
/// beginning of words, merged pieces.
///
/// # Errors
///
/// As [`llama_bpe`].
pub fn bert_wordpiece(
    corpus: impl IntoIterator<Item = impl AsRef<str>>,
    vocab_size: usize,
) -> Result<TrainedTokenizer> {
    const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let mut words = Vec::new();
    for text in corpus {
        words.extend(bert_words(text.as_ref())?);
    }
    let inner: BTreeSet<char> = words.iter().flat_map(|word| word.chars().skip(1)).collect();
    let mut fixed: Vec<String> = SPECIAL.map(str::to_owned).into();
    // Listed here, since the trainer would number them in the order it happens to meet them.
    fixed.extend(inner.into_iter().map(|c| format!("##{c}")));
    let model = train(&words, fixed, vocab_size, Some("##"))?;
    let special = SPECIAL.iter().enumerate().map(|(id, token)| {
        json!({"id": id, "content": token, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    });
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": special.collect::<Vec<_>>(),
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": template("[CLS]", 2, Some(("[SEP]", 3))),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": model["vocab"],
        },
    });
    let config = json!({
        "tokenizer_class": "BertTokenizer", "do_lower_case": true, "cls_token": "[CLS]",
        "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]",
        "truncation_side": "left", "model_max_length": 512, "clean_up_tokenization_spaces": true,
    });
    Ok(TrainedTokenizer { tokenizer, config })
}

/// The post-processor that puts special tokens around a text.
fn template(first: &str, first_id: u32, last: Option<(&str, u32)>) -> Value {
    let token = |token: &str, text: u32| json!({"SpecialToken": {"id": token, "type_id": text}});
    let sequence = |name: &str, text: u32| json!({"Sequence": {"id": name, "type_id": text}});
    let mut single = vec![token(first, 0), sequence("A", 0)];
    single.extend(last.map(|(last, _)| token(last, 0)));
    let mut pair = single.clone();
    pair.extend(last.is_none().then(|| token(first, 1)));
    pair.push(sequence("B", 1));
    pair.extend(last.map(|(last, _)| token(last, 1)));
    let entry = |token: &str, id: u32| json!({"id": token, "ids": [id], "tokens": [token]});
    let mut tokens = serde_json::Map::from_iter([(first.to_owned(), entry(first, first_id))]);
    tokens.extend(last.map(|(last, id)| (last.to_owned(), entry(last, id))));
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens})
}

/// Merges the most frequent pairs of pieces until there are `vocab_size`; gives the model as JSON.
fn train(
    words: &[String],
    fixed: Vec<String>,
    vocab_size: usize,
    prefix: Option<&str>,
) -> Result<Value> {
    let fail = |reason: String| Error::TokenizerTraining { reason };
    if words.is_empty() {
        return Err(fail("the corpus holds no text".to_owned()));
    }
    let alphabet: BTreeSet<char> = words.iter().flat_map(|word| word.chars()).collect();
    if fixed.len() + alphabet.len() > vocab_size {
        let (special, characters) = (fixed.len(), alphabet.len());
        return Err(fail(format!(
            "{special} fixed tokens and {characters} characters do not fit into {vocab_size}"
        )));
    }
    // Only numbered as special tokens: this way they come first and in this order.
    let fixed = fixed.into_iter().map(|token| AddedToken::from(token, true)).collect();
    let mut builder = BpeTrainer::builder()
        .show_progress(false)
        .min_frequency(2)
        .vocab_size(vocab_size)
        .special_tokens(fixed);
    if let Some(prefix) = prefix {
        builder = builder.continuing_subword_prefix(prefix.to_owned());
    }
    let mut trainer = builder.build();
    let mut model = BPE::default();
    trainer
        .feed(words.iter(), |word| Ok(vec![word.to_owned()]))
        .and_then(|()| trainer.train(&mut model))
        .map_err(|source| fail(source.to_string()))?;
    serde_json::to_value(&model).map_err(|source| fail(source.to_string()))
}

/// Cuts a text where no piece may cross: before spaces, around digits and punctuation marks.
fn llama_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false; // whether the last word may take another letter
    for c in std::iter::once(SPACE).chain(text.chars()) {
        let c = if c == ' ' { SPACE } else { c };
        let letter = c.is_alphabetic() || c == SPACE;
        match words.last_mut() {
            Some(word) if open && c != SPACE && (letter || word.ends_with(SPACE)) => word.push(c),
            _ => words.push(c.to_string()),
        }
        open = letter;
    }
    words
}

/// Words as BERT's tokenizer sees them.
fn bert_words(text: &str) -> Result<Vec<String>> {
    let fail = |source| Error::Text { text: text.chars().take(80).collect(), source };
    let mut normalized = NormalizedString::from(text);
    BertNormalizer::default().normalize(&mut normalized).map_err(fail)?;
    let mut words = PreTokenizedString::from(normalized.get());
    BertPreTokenizer.pre_tokenize(&mut words).map_err(fail)?;
    let words = words.get_splits(OffsetReferential::Original, OffsetType::Byte);
    Ok(words.into_iter().map(|(word, ..)| word.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_space_and_lose_their_marks() {
        let cases = [
            ("A red cat.", vec!["▁A", "▁red", "▁cat", "."]),
            ("12 cats", vec!["▁1", "2", "▁cats"]),
            ("it's  (so)", vec!["▁it", "'", "s", "▁", "▁(", "so", ")"]),
            ("a\nb", vec!["▁a", "\n", "b"]),
        ];
        for (text, words) in cases {
            assert_eq!(llama_words(text), words, "{text:?}");
        }
    }

    #[test]
    fn an_impossible_training_says_why() {
        let reason = |result: Result<TrainedTokenizer>| result.unwrap_err().to_string();
        assert!(reason(llama_bpe([""; 0], 500)).contains("no text"));
        assert!(reason(llama_bpe(["abc"], 262)).contains("do not fit into 260"));
        assert!(reason(bert_wordpiece(["abc"], 6)).contains("do not fit into 6"));
    }
}
