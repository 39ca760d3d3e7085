//! Tokenizers, trained here and read by transformers.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use vigc_core::files::read_json;
use vigc_llm::Error;
use vigc_llm::generation::{StopCondition, StopStrings};
use vigc_llm::tokenizer::train::{TrainedTokenizer, bert_wordpiece, llama_bpe};
use vigc_llm::tokenizer::{BertTokenizer, SpecialTokens, TextTokenizer};

use crate::{fixture, shown};

/// What transformers says about the tokenizers in the fixture.
#[derive(Deserialize)]
struct Golden {
    special: Special,
    vocab: [usize; 2],
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Special {
    bos: u32,
    eos: u32,
    pad: u32,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    llama: Vec<u32>,
    decoded: String,
    bert: Vec<u32>,
}

fn trained() -> [(&'static str, TrainedTokenizer); 2] {
    let corpus = fs::read_to_string(fixture("tokenizer/corpus.txt")).unwrap();
    [
        ("llama", llama_bpe(corpus.lines(), 400).unwrap()),
        ("bert", bert_wordpiece(corpus.lines(), 180).unwrap()),
    ]
}

fn text_tokenizer() -> TextTokenizer {
    TextTokenizer::from_dir(fixture("tokenizer/llama")).unwrap()
}

#[test]
#[ignore = "writes the fixtures that the other tests read"]
fn write_trained_tokenizers() {
    for (name, tokenizer) in trained() {
        let folder = fixture("tokenizer").join(name);
        fs::create_dir_all(&folder).unwrap();
        tokenizer.save(folder).unwrap();
    }
}

#[test]
fn training_gives_the_same_files_every_time() {
    let folder = tempfile::tempdir().unwrap();
    for (name, tokenizer) in trained() {
        tokenizer.save(folder.path()).unwrap();
        for file in ["tokenizer.json", "tokenizer_config.json"] {
            let expected = fs::read(fixture("tokenizer").join(name).join(file)).unwrap();
            assert!(fs::read(folder.path().join(file)).unwrap() == expected, "{name}/{file}");
        }
    }
}

#[test]
fn ids_and_texts_match_transformers() {
    let golden: Golden = read_json(fixture("tokenizer/ids.json")).unwrap();
    let text = text_tokenizer();
    let bert = BertTokenizer::from_dir(fixture("tokenizer/bert")).unwrap();
    assert_eq!(golden.vocab, [text.vocab_size(), bert.vocab_size()]);
    let special = [golden.special.bos, golden.special.eos, golden.special.pad];
    assert_eq!(special, [text.bos_id(), text.eos_id(), text.pad_id()]);
    assert_eq!(special, [2, 2, 398]);
    for row in golden.rows {
        assert_eq!(text.encode(&row.text).unwrap(), row.llama, "{:?}", row.text);
        assert_eq!(text.decode(&row.llama).unwrap(), row.decoded, "{:?}", row.text);
        assert_eq!(bert.encode(&row.text).unwrap(), row.bert, "{:?}", row.text);
    }
}

#[test]
fn any_text_survives_a_round_trip() {
    let tokenizer = text_tokenizer();
    for text in ["The ducks are 12.", "雨 🦆 ñ\u{301}", "two  spaces", "a\nb\tc", "\u{0}"] {
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()).unwrap(), text, "{text:?}");
    }
}

#[test]
fn prompts_begin_and_targets_end() {
    let tokenizer = text_tokenizer();
    let pieces = tokenizer.encode_pieces("a cat").unwrap();
    let prompt = tokenizer.encode("a cat").unwrap();
    let target = tokenizer.encode_target("a cat").unwrap();
    assert_eq!((prompt[0], &prompt[1..]), (2, &pieces[..]));
    assert_eq!(target.split_last().unwrap(), (&2, &pieces[..]));
    assert_eq!(tokenizer.encode("").unwrap(), [2]);
    assert_eq!(tokenizer.decode(&[2, 398, 2]).unwrap(), "");
}

#[test]
fn a_long_text_loses_its_beginning() {
    let tokenizer = BertTokenizer::from_dir(fixture("tokenizer/bert")).unwrap();
    let whole = tokenizer.clone().with_max_len(1000).encode(&"a red cat ".repeat(60)).unwrap();
    let cut = tokenizer.encode(&"a red cat ".repeat(60)).unwrap();
    assert_eq!((cut.len(), cut[0]), (128, whole[0]));
    assert_eq!(cut[1..], whole[whole.len() - 127..]);
    assert_eq!(tokenizer.with_max_len(2).encode("a red cat").unwrap().len(), 2);
}

#[test]
fn a_vocabulary_file_makes_a_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    let trained = BertTokenizer::from_dir(fixture("tokenizer/bert")).unwrap();
    let file: serde_json::Value = read_json(fixture("tokenizer/bert/tokenizer.json")).unwrap();
    let mut words: Vec<_> = file["model"]["vocab"].as_object().unwrap().iter().collect();
    words.sort_by_key(|(_, id)| id.as_u64());
    let words: String = words.into_iter().map(|(word, _)| format!("{word}\n")).collect();
    fs::write(folder.path().join("vocab.txt"), words).unwrap();
    let listed = BertTokenizer::from_dir(folder.path()).unwrap();
    for text in ["A RED cat!", "naïve café 12", "[SEP] two", "雨"] {
        assert_eq!(listed.encode(text).unwrap(), trained.encode(text).unwrap(), "{text:?}");
    }
}

/// What the upstream tokenizer says about texts over a part of BERT's vocabulary.
#[derive(Deserialize)]
struct Words {
    vocab: usize,
    words: Vec<String>,
    rows: Vec<WordsRow>,
}

#[derive(Deserialize)]
struct WordsRow {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn words_match_transformers_4_28() {
    let golden: Words = read_json(fixture("tokenizer/wordpiece/words.json")).unwrap();
    let filler = (0..30522 - golden.words.len()).map(|i| format!("[unused{i}]"));
    let words: String = golden.words.into_iter().chain(filler).map(|word| word + "\n").collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), words).unwrap();
    let tokenizer = BertTokenizer::from_dir(folder.path()).unwrap();
    assert_eq!((tokenizer.vocab_size(), tokenizer.token_id("[DEC]")), (golden.vocab, Some(30522)));
    for row in golden.rows {
        assert_eq!(tokenizer.encode(&row.text).unwrap(), row.ids, "{:?}", row.text);
    }
}

#[test]
fn stop_strings_are_seen_across_tokens() {
    let tokenizer = text_tokenizer();
    let stop = StopStrings::new(&tokenizer, &["", "Answer:", "zq"]);
    let text = "Question: Is it? Answer: no";
    let ids = tokenizer.encode_pieces(text).unwrap();
    let met: Vec<usize> = (1..=ids.len()).filter(|&len| stop.is_met(0, &ids[..len])).collect();
    let first = tokenizer.decode(&ids[..met[0]]).unwrap();
    assert_eq!(first, "Question: Is it? Answer:");
    assert_eq!(stop.trim(text), "Question: Is it? ");
    let line = StopStrings::new(&tokenizer, &["\n"]);
    assert!(line.is_met(0, &tokenizer.encode_pieces("one line\n").unwrap()));
    assert_eq!(stop.trim("nothing"), "nothing");
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| TextTokenizer::from_dir(path).unwrap_err().to_string();
    assert!(message(folder.path()).contains("tokenizer.json"));
    assert!(BertTokenizer::from_dir(folder.path()).unwrap_err().to_string().contains("vocab.txt"));
    fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(message(folder.path()).contains("not a readable tokenizer"));
    let bytes = fs::read(fixture("tokenizer/llama/tokenizer.json")).unwrap();
    let special = SpecialTokens { eos: "<end>".to_owned(), ..SpecialTokens::upstream() };
    let error = TextTokenizer::from_bytes("bundled", &bytes, &special).unwrap_err();
    assert!(matches!(error, Error::SpecialToken { .. }), "{error}");
}

/// A `tokenizer.json` of a test with one part of it changed.
fn changed(key: &str, part: serde_json::Value) -> Vec<u8> {
    let mut file: serde_json::Value = read_json(fixture("tokenizer/llama/tokenizer.json")).unwrap();
    match (key, &part) {
        ("model", serde_json::Value::Object(settings)) => {
            file["model"].as_object_mut().unwrap().extend(settings.clone());
        }
        _ => file[key] = part,
    }
    file.to_string().into_bytes()
}

#[test]
fn files_on_which_tokenizers_panics_are_errors() {
    let replace = json!({"type": "Replace", "pattern": {"Regex": "."}, "content": "aaaaaaaa"});
    let precompiled = json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"});
    let cases = [
        (
            "torn",
            br#"{"version": "1.0", "decoder": {"type": "Fuse" "#.to_vec(),
            "EOF while parsing",
        ),
        ("comma", br#"{"decoder": {"type": "Fuse" "a": 1}}"#.to_vec(), "expected `,` or `}`"),
        ("charsmap", changed("normalizer", precompiled.clone()), "precompiled character map"),
        (
            "no charsmap",
            changed("normalizer", json!({"type": "Precompiled"})),
            "precompiled character map",
        ),
        (
            "charsmap inside",
            changed("normalizer", json!({"type": "Sequence", "normalizers": [precompiled]})),
            "normalizer has a precompiled character map",
        ),
        (
            "length 0",
            changed("pre_tokenizer", json!({"type": "FixedLength", "length": 0})),
            "pre_tokenizer splits texts into parts of length 0",
        ),
        (
            "prefix",
            changed("model", json!({"continuing_subword_prefix": "##"})),
            "continuing_subword_prefix \"##\"",
        ),
        ("unigram", changed("model", json!({"type": "Unigram"})), "model is \"Unigram\""),
        (
            "growth",
            changed("normalizer", json!({"type": "Sequence", "normalizers": [replace, replace]})),
            "lengthens texts",
        ),
        (
            "long prefix",
            changed("normalizer", json!({"type": "Prepend", "prepend": "a".repeat(1 << 16)})),
            "lengthens texts",
        ),
    ];
    for (name, file, expected) in cases {
        let special = SpecialTokens::upstream();
        let text = TextTokenizer::from_bytes("tokenizer.json", &file, &special).unwrap_err();
        let bert = BertTokenizer::from_bytes("tokenizer.json", &file).unwrap_err();
        for message in [shown(&text), shown(&bert)] {
            assert!(message.contains("tokenizer.json"), "{name}: {message}");
            assert!(message.contains(expected), "{name}: {message}");
        }
    }
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    let file = String::from_utf8(changed("normalizer", json!(null))).unwrap();
    let twice = file.replacen('{', r#"{"normalizer": {"type": "Precompiled"}, "#, 1);
    let special = SpecialTokens::upstream();
    let read = TextTokenizer::from_bytes("tokenizer.json", twice.as_bytes(), &special).unwrap();
    assert_eq!(read.encode("a cat").unwrap(), text_tokenizer().encode("a cat").unwrap());
}
