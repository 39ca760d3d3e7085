//! The files of `vigc-mini`, embedded in the program: all parts of InstructBLIP-Vicuna 7B in small, trained on rendered scenes.
//!
//! The crate holds a folder in Hugging Face's layout and nothing else, 9 MB of it weights, so that only programs that ask for
//! the model carry it. `vigc-pipeline` opens it with its feature `mini`, as `InstructBlip::bundled`. The model card with what was
//! measured is `model/README.md`.
//!
//! ```
//! let config = vigc_mini::file("config.json").expect("every model has one");
//! assert!(config.starts_with(b"{"));
//! ```
#![forbid(unsafe_code)]

/// The name of the model.
pub const NAME: &str = "vigc-mini";

/// A file of the folder, by its path below it.
macro_rules! file {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../model/", $path)) as &[u8])
    };
}

/// The files of the folder: their paths below it, with `/` between the parts, and what is in them.
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

/// The content of the file at `path` below the folder; `None` if the folder has no such file.
#[must_use]
pub fn file(path: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
}

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
        // The inner folder counts as an entry of the outer one.
        assert_eq!(count(&folder) - 1 + count(&folder.join("qformer_tokenizer")), FILES.len());
        assert_eq!(file("no such file"), None);
    }
}
