//! The files of `vigc-mini`, embedded in the program. `vigc-mini` is a small InstructBLIP that was trained on rendered scenes.
//!
//! The crate contains a folder in Hugging Face's layout and nothing else. Its 9 MB are in a crate of their own so that only
//! programs that use the model carry it. `vigc-pipeline` opens it with its feature `mini`, as `InstructBlip::bundled`.
//!
//! # Tutorial
//!
//! Other programs may want the files on disk, for example to open them with Python's transformers:
//!
//! ```
//! use std::fs;
//!
//! # fn main() -> std::io::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("vigc-mini-{}", std::process::id()));
//! for (name, bytes) in vigc_mini::FILES {
//!     let path = folder.join(name);
//!     fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
//!     fs::write(path, bytes)?;
//! }
//! let card = fs::read_to_string(folder.join("README.md"))?;
//! assert!(card.contains("# vigc-mini"));
//!
//! // One file, without the disk.
//! let config = vigc_mini::file("config.json").expect("every model has one");
//! assert!(config.starts_with(b"{"));
//! # fs::remove_dir_all(folder)
//! # }
//! ```
//!
//! # Files
//!
//! | file | contents |
//! |---|---|
//! | `README.md` | the model card: how the model was trained, and what was measured |
//! | `config.json`, `generation_config.json` | shapes and decoding |
//! | `model.safetensors` | the weights, in f16 |
//! | `tokenizer.json`, `tokenizer_config.json` | the tokenizer of the language model |
//! | `qformer_tokenizer/` | the tokenizer of the Q-Former |
//! | `processor_config.json` | preprocessing of images |
#![forbid(unsafe_code)]

/// The name of the model.
pub const NAME: &str = "vigc-mini";

/// An embedded file with its path in the folder.
macro_rules! file {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../model/", $path)) as &[u8])
    };
}

/// The files of the folder: their paths in it, with `/` as the separator, and their contents.
pub const FILES: [(&str, &[u8]); 9] = [
    file!("README.md"),
    file!("config.json"),
    file!("generation_config.json"),
    file!("model.safetensors"),
    file!("processor_config.json"),
    file!("qformer_tokenizer/tokenizer.json"),
    file!("qformer_tokenizer/tokenizer_config.json"),
    file!("tokenizer.json"),
    file!("tokenizer_config.json"),
];

/// The contents of the file at a path in the folder; `None` if there is no such file.
#[must_use]
pub fn file(path: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("model");
        for (name, bytes) in FILES {
            assert_eq!(fs::read(folder.join(name)).unwrap(), bytes, "{name}");
        }
        let count = |folder: &Path| fs::read_dir(folder).unwrap().count();
        // The inner folder is an entry of the outer one.
        assert_eq!(count(&folder) - 1 + count(&folder.join("qformer_tokenizer")), FILES.len());
        assert_eq!(file("no such file"), None);
    }
}
