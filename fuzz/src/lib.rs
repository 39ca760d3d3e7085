//! What the targets share: a folder in memory, and the use that is made of what was read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn::tensor::Device;
use vigc_core::weights::Checkpoint;
use vigc_llm::tokenizer::TextTokenizer;

/// Larger tensors are listed and not read.
const MAX_NUMBERS: usize = 1 << 16;

/// This process's folder; in memory where the system has a place for that.
pub static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = parent.join(format!("vigc-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the files");
    folder
});

/// Writes a file into the folder, over the one of the run before, and returns its path.
pub fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
    fs::write(&path, bytes).expect("a file in the folder");
    path
}

/// Opens a checkpoint and reads every small tensor that it lists.
pub fn read_tensors(path: &Path) {
    let checkpoint = match Checkpoint::open(path) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return show(&error),
    };
    let device = Device::default();
    for name in checkpoint.keys() {
        let shape = checkpoint.shape(name).expect("it is listed");
        let numbers = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        if numbers.is_none_or(|numbers| numbers > MAX_NUMBERS) {
            continue;
        }
        let read = match shape.len() {
            1 => checkpoint.tensor::<1>(name, &device).map(drop),
            2 => checkpoint.tensor::<2>(name, &device).map(drop),
            3 => checkpoint.tensor::<3>(name, &device).map(drop),
            _ => checkpoint.tensor::<4>(name, &device).map(drop),
        };
        if let Err(error) = read {
            show(&error);
        }
    }
}

/// Texts with special tokens and bytes of any kind, the last from the end of the input.
pub fn texts(bytes: &[u8]) -> [String; 3] {
    let end = &bytes[bytes.len().saturating_sub(64)..];
    [
        " The cat's <image> is 12 ducks. </s>\n雨 🦆 ñ\u{301}\u{0}".to_owned(),
        String::new(),
        String::from_utf8_lossy(end).into_owned(),
    ]
}

/// Cuts texts and joins their tokens, and any tokens.
pub fn use_tokenizer(tokenizer: &TextTokenizer, bytes: &[u8]) {
    for text in texts(bytes) {
        match tokenizer.encode(&text).and_then(|ids| tokenizer.decode(&ids)) {
            Ok(_) => {}
            Err(error) => show(&error),
        }
    }
    let most = u32::try_from(tokenizer.vocab_size()).expect("numbers of tokens are u32");
    let any: Vec<u32> = bytes.iter().map(|&byte| u32::from(byte)).take(64).collect();
    let last: Vec<u32> = (most.saturating_sub(8)..most.saturating_add(2)).collect();
    for ids in [any, last, vec![u32::MAX]] {
        if let Err(error) = tokenizer.decode(&ids) {
            show(&error);
        }
    }
}

/// Formats an error as a program would, with its causes.
pub fn show(error: &dyn std::error::Error) {
    let causes = std::iter::successors(Some(error), |error| error.source());
    assert!(causes.map(|error| error.to_string().len()).sum::<usize>() > 0);
}
