//! The readers of `tokenizer.json` and `vocab.txt`, and texts cut and joined by what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigc_fuzz::{show, texts, use_tokenizer, write};
use vigc_llm::tokenizer::{BertTokenizer, TextTokenizer};

fuzz_target!(|bytes: &[u8]| {
    let path = write("tokenizer/tokenizer.json", bytes);
    let folder = path.parent().expect("it is in a folder");
    for read in [TextTokenizer::from_dir(folder), TextTokenizer::vicuna_from_dir(folder)] {
        match read {
            Ok(tokenizer) => use_tokenizer(&tokenizer, bytes),
            Err(error) => show(&error),
        }
    }
    let words = write("words/vocab.txt", bytes);
    let words = words.parent().expect("it is in a folder");
    for read in [BertTokenizer::from_dir(folder), BertTokenizer::from_dir(words)] {
        let tokenizer = match read {
            Ok(tokenizer) => tokenizer,
            Err(error) => {
                show(&error);
                continue;
            }
        };
        for text in texts(bytes) {
            match tokenizer.encode(&text) {
                Ok(ids) => assert!(ids.len() <= 128),
                Err(error) => show(&error),
            }
        }
    }
});
