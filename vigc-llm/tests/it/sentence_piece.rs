//! LLaMA's tokenizer from SentencePiece's file, as transformers 4.28.1 reads it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;
use vigc_core::files::read_json;
use vigc_llm::tokenizer::TextTokenizer;

use crate::{fixture, shown};

/// What the reference's tokenizer says.
#[derive(Deserialize)]
struct Golden {
    vocab: usize,
    /// LLaMA's pieces that the texts can touch, by their number.
    #[serde(default)]
    pieces: HashMap<usize, String>,
    rows: Vec<Row>,
    decoded: Vec<Decoded>,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct Decoded {
    ids: Vec<u32>,
    text: String,
}

fn golden(name: &str) -> Golden {
    read_json(fixture("tokenizer/sentencepiece").join(name)).unwrap()
}

/// A protobuf field that has a length.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let len = u8::try_from(bytes.len()).unwrap();
    assert!(len < 128, "a longer length takes two bytes");
    [&[(tag << 3) | 2, len], bytes].concat()
}

/// A piece with its score and kind.
fn piece(text: &str, score: f32, kind: u8) -> Vec<u8> {
    let score = [&[(2 << 3) | 5][..], &score.to_le_bytes()].concat();
    field(1, &[field(1, text.as_bytes()), score, vec![3 << 3, kind]].concat())
}

/// The settings of a byte-pair encoding that falls back to bytes and leaves texts as they are.
fn settings() -> Vec<u8> {
    let trainer = [3 << 3, 2, 0x98, 0x02, 1]; // model_type, byte_fallback
    [field(2, &trainer), field(3, &[4 << 3, 0])].concat() // remove_extra_whitespaces
}

/// `<unk>`, `<s>`, `</s>` and the bytes.
fn first_pieces() -> Vec<u8> {
    let special = [("<unk>", 2), ("<s>", 3), ("</s>", 3)];
    let mut file: Vec<u8> =
        special.iter().flat_map(|(text, kind)| piece(text, 0.0, *kind)).collect();
    file.extend((0..=255).flat_map(|byte| piece(&format!("<0x{byte:02X}>"), 0.0, 6)));
    file
}

fn llama_model(pieces: &HashMap<usize, String>) -> Vec<u8> {
    let mut file = first_pieces();
    for id in 259..32000 {
        let text = pieces.get(&id).cloned().unwrap_or_else(|| format!("\u{f8ff}{id}"));
        let score = if text.trim_matches('▁').is_empty() { -1e9 } else { 259.0 - id as f32 };
        file.extend(piece(&text, score, 1));
    }
    file.extend(settings());
    file
}

fn folder_with(model: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tokenizer.model"), model).unwrap();
    folder
}

fn check(tokenizer: &TextTokenizer, golden: &Golden) {
    assert_eq!(tokenizer.vocab_size(), golden.vocab);
    assert_eq!((tokenizer.bos_id(), tokenizer.eos_id()), (2, 2));
    assert_eq!(tokenizer.pad_id() as usize, golden.vocab - 1);
    for Row { text, ids, decoded } in &golden.rows {
        assert_eq!(tokenizer.encode(text).unwrap(), *ids, "{text:?}");
        // The reference does not take `<unk>` for special, but replaces its number before.
        if !ids.contains(&0) {
            assert_eq!(tokenizer.decode(ids).unwrap(), decoded.trim(), "{text:?}");
        }
    }
    for Decoded { ids, text } in &golden.decoded {
        assert_eq!(tokenizer.decode(ids).unwrap(), text.trim(), "{ids:?}");
    }
}

#[test]
fn llamas_tokens_are_the_references() {
    let golden = golden("vicuna.json");
    let folder = folder_with(&llama_model(&golden.pieces));
    let tokenizer = TextTokenizer::vicuna_from_dir(folder.path()).unwrap();
    check(&tokenizer, &golden);
    assert_eq!((golden.rows.len(), tokenizer.pad_id()), (357, 32000));
    let cases: [(&str, &[u32]); 5] = [
        (
            "Write a short description for the image.",
            &[2, 14350, 263, 3273, 6139, 363, 278, 1967, 29889],
        ),
        ("What is unusual about this image?", &[2, 1724, 338, 22910, 1048, 445, 1967, 29973]),
        (" Question:", &[2, 29871, 894, 29901]),
        ("yes </s>", &[2, 4874, 2]),
        ("🦆", &[2, 29871, 243, 162, 169, 137]),
    ];
    for (text, ids) in cases {
        assert_eq!(tokenizer.encode(text).unwrap(), ids, "{text:?}");
    }
}

#[test]
fn a_trained_file_with_user_defined_pieces_is_read() {
    let golden = golden("small.json");
    let model = fs::read(fixture("tokenizer/sentencepiece/small.model")).unwrap();
    let folder = folder_with(&model);
    check(&TextTokenizer::vicuna_from_dir(folder.path()).unwrap(), &golden);
}

#[test]
fn what_a_configuration_says_counts_unless_it_is_vicunas() {
    let folder = folder_with(&[first_pieces(), piece("▁", 0.0, 1), settings()].concat());
    let config = r#"{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<unk>"}"#;
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let configured = TextTokenizer::from_dir(folder.path()).unwrap();
    let vicuna = TextTokenizer::vicuna_from_dir(folder.path()).unwrap();
    let special = |it: &TextTokenizer| [it.bos_id(), it.eos_id(), it.pad_id()];
    assert_eq!((special(&configured), special(&vicuna)), ([1, 2, 0], [2, 2, 260]));
    assert_eq!(configured.encode_pieces(" </s>").unwrap(), [259, 259, 2]);
    assert_eq!(vicuna.encode_pieces(" </s>").unwrap(), [2]);
}

#[test]
fn tokens_beside_the_file_keep_their_numbers() {
    let folder = folder_with(&[first_pieces(), settings()].concat());
    let added = folder.path().join("added_tokens.json");
    fs::write(&added, r#"{"<image>": 260, "[PAD]": 259, "</s>": 2}"#).unwrap();
    let tokenizer = TextTokenizer::vicuna_from_dir(folder.path()).unwrap();
    assert_eq!((tokenizer.pad_id(), tokenizer.vocab_size()), (259, 261));
    assert_eq!(tokenizer.encode_pieces("<image>").unwrap(), [260]);
    fs::write(&added, r#"{"[PAD]": 300}"#).unwrap();
    let message = TextTokenizer::vicuna_from_dir(folder.path()).unwrap_err();
    let message = shown(&message);
    assert!(message.contains("added_tokens.json") && message.contains("expected 259"), "{message}");
}

#[test]
fn a_pipeline_in_json_gives_its_vocabulary() {
    let folder = fixture("tokenizer/llama");
    let (vicuna, pipeline) = (
        TextTokenizer::vicuna_from_dir(&folder).unwrap(),
        TextTokenizer::from_dir(&folder).unwrap(),
    );
    let ids = |it: &TextTokenizer| [it.bos_id(), it.eos_id(), it.pad_id(), it.vocab_size() as u32];
    assert_eq!(ids(&vicuna), ids(&pipeline));
    let text = "The red car is behind 12 ducks. 雨";
    assert_eq!(vicuna.encode(text).unwrap(), pipeline.encode(text).unwrap());
    let target = vicuna.encode_pieces("yes </s>").unwrap();
    assert_eq!(target, vicuna.encode_target("yes").unwrap());
    let error = TextTokenizer::vicuna_from_dir(fixture("tokenizer/bert")).unwrap_err();
    assert!(shown(&error).contains("no byte-pair encoding"), "{error:?}");
}

#[test]
fn broken_files_are_errors_that_say_why() {
    let normal = |text: &str, score| piece(text, score, 1);
    let identity = field(3, &[4 << 3, 0]);
    let byte_pair = field(2, &[3 << 3, 2]);
    let with = |pieces: &[Vec<u8>]| [first_pieces(), pieces.concat(), settings()].concat();
    let charsmap = field(3, &field(2, &[1, 2, 3]));
    let cases: [(&str, Vec<u8>, &str); 16] = [
        ("empty", vec![], "ends before its training settings"),
        ("text", b"version https://git-lfs".to_vec(), "expected a SentencePiece model"),
        ("zip", b"PK\x03\x04 and more".to_vec(), "expected a SentencePiece model"),
        ("long length", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], "expected a SentencePiece model"),
        ("not UTF-8", field(1, &field(1, &[0xff])), "expected a SentencePiece model"),
        ("no settings", first_pieces(), "ends before its training settings"),
        (
            "no normalizer",
            [first_pieces(), byte_pair.clone()].concat(),
            "ends before its normalizer",
        ),
        ("unigram", [first_pieces(), field(2, &[3 << 3, 1]), identity].concat(), "Unigram model"),
        ("nmt", [first_pieces(), byte_pair.clone(), charsmap].concat(), "expected \"identity\""),
        ("squeezed", [first_pieces(), byte_pair, field(3, &[])].concat(), "removes spaces"),
        ("twice", with(&[normal("a", 0.0), normal("a", -1.0)]), "\"a\", is there twice"),
        ("no letters", with(&[normal("", 0.0)]), "is empty"),
        ("not a number", with(&[normal("a", f32::NAN)]), "no finite score"),
        ("unused", with(&[piece("a", 0.0, 5)]), "unused"),
        ("no bytes", [piece("<unk>", 0.0, 2), settings()].concat(), "lacks the piece <0x00>"),
        ("no end", no_end_token(), "lacks the special token \"</s>\""),
    ];
    for (name, file, expected) in cases {
        let folder = folder_with(&file);
        for result in [TextTokenizer::from_dir(folder.path()), vicuna(folder.path())] {
            let message = shown(&result.unwrap_err());
            assert!(message.contains("tokenizer.model"), "{name}: {message}");
            assert!(message.contains(expected), "{name}: {message}");
        }
    }
}

#[test]
fn no_cut_of_a_file_is_a_tokenizer() {
    let whole = fs::read(fixture("tokenizer/sentencepiece/small.model")).unwrap();
    for len in (0..whole.len()).step_by(97) {
        let folder = folder_with(&whole[..len]);
        assert!(vicuna(folder.path()).is_err(), "{len} of {} bytes", whole.len());
    }
}

fn vicuna(folder: &Path) -> vigc_llm::Result<TextTokenizer> {
    TextTokenizer::vicuna_from_dir(folder)
}

fn no_end_token() -> Vec<u8> {
    let bytes = (0..=255).flat_map(|byte| piece(&format!("<0x{byte:02X}>"), 0.0, 6));
    [piece("<unk>", 0.0, 2), bytes.collect(), settings()].concat()
}
