//! `TextTokenizer` over a `tokenizer.model`, and texts cut and joined by what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigc_llm::tokenizer::TextTokenizer;

fuzz_target!(|bytes: &[u8]| {
    let path = vigc_fuzz::write("sentencepiece/tokenizer.model", bytes);
    let folder = path.parent().expect("it is in a folder");
    for read in [TextTokenizer::from_dir(folder), TextTokenizer::vicuna_from_dir(folder)] {
        match read {
            Ok(tokenizer) => vigc_fuzz::use_tokenizer(&tokenizer, bytes),
            Err(error) => vigc_fuzz::show(&error),
        }
    }
});
