//! The files of tokenizers, which a model that is saved takes along.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use vigc_core::files::write_atomic;
use vigc_llm::tokenizer::SpecialTokens;

use crate::{Error, Result};

/// The files that describe tokenizers, by their names in a folder.
const TOKENIZER_FILES: [&str; 10] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "chat_template.json",
    "chat_template.jinja",
    "qformer_tokenizer/tokenizer.json",
    "qformer_tokenizer/tokenizer_config.json",
    "qformer_tokenizer/vocab.txt",
];

/// The files of a model's tokenizers, kept as they were read.
#[derive(Debug, Clone, Default)]
pub struct TokenizerFiles(Vec<(String, Vec<u8>)>);

impl TokenizerFiles {
    /// Reads those that a folder holds.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if one is there but cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let present = TOKENIZER_FILES.iter().filter(|name| folder.join(name).is_file());
        let read = |name: &&str| {
            let path = folder.join(name);
            let bytes = fs::read(&path).map_err(|source| Error::Read { path, source })?;
            Ok(((*name).to_owned(), bytes))
        };
        present.map(read).collect::<Result<_>>().map(Self)
    }

    /// Reads those of a language model's folder and those of a folder of the Q-Former's words. The special tokens
    /// become the reference's.
    pub(crate) fn of(language: &Path, bert: &Path) -> Result<Self> {
        let inner = ["tokenizer.json", "tokenizer_config.json", "vocab.txt"];
        let outer = TOKENIZER_FILES.iter().filter(|name| !name.contains('/'));
        let outer = outer.map(|name| (language.join(name), (*name).to_owned()));
        let inner = inner.map(|name| (bert.join(name), format!("qformer_tokenizer/{name}")));
        let present = outer.chain(inner).filter(|(path, _)| path.is_file());
        let read = |(path, name): (PathBuf, String)| match fs::read(&path) {
            Ok(bytes) => Ok((name, bytes)),
            Err(source) => Err(Error::Read { path, source }),
        };
        let mut files = present.map(read).collect::<Result<Vec<_>>>()?;
        files.retain(|(name, _)| {
            !matches!(&**name, "tokenizer_config.json" | "special_tokens_map.json")
        });
        let SpecialTokens { bos, eos, pad } = SpecialTokens::reference();
        let config =
            json!({ "bos_token": bos, "eos_token": eos, "unk_token": eos, "pad_token": pad });
        files.push(("tokenizer_config.json".to_owned(), config.to_string().into_bytes()));
        Ok(Self(files))
    }

    #[cfg(feature = "mini")]
    pub(crate) fn from_bundle(files: &[(&str, &[u8])]) -> Self {
        Self(files.iter().map(|&(name, bytes)| (name.to_owned(), bytes.to_vec())).collect())
    }

    /// Those of the language model alone.
    pub(crate) fn of_language_model(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| !name.contains('/')).cloned().collect())
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                let fail = |source| Error::Write { path: parent.to_owned(), source };
                fs::create_dir_all(parent).map_err(fail)?;
            }
            write_atomic(path, bytes)?;
        }
        Ok(())
    }
}
