//! Objects, the words that stand for them, and which of them a caption names.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use super::error::{ChairError, VocabularyError};
use super::singular::singular;
use super::words::words;
use vigc_pipeline::data::DataError;

/// Objects and the words that stand for them.
///
/// A file of synonyms is TOML. `[objects]` alone will do:
///
/// ```toml
/// # Found in their plural form only.
/// plural_only = ["bus"]
///
/// # Two words that are read as one; "" is no object.
/// [read_as]
/// "baby bird" = "bird"
/// "train track" = ""
///
/// # Where a caption has the first word, the others stand for nothing.
/// [hides]
/// toilet = ["seat"]
///
/// # Each annotated category with its synonyms, of one word or two.
/// [objects]
/// person = ["man", "woman"]
/// "traffic light" = []
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    names: BTreeSet<String>,
    /// The object of each word, or of two words with a blank between them.
    objects: HashMap<String, String>,
    /// Two words and the word that they are read as.
    pairs: HashMap<String, String>,
    /// Words that are found as they are written; the others by their singular.
    as_written: HashSet<String>,
    hides: BTreeMap<String, Vec<String>>,
}

/// An object that a caption names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The word, most often in the singular.
    pub word: String,
    /// The object that it stands for.
    pub object: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    plural_only: Vec<String>,
    #[serde(default)]
    read_as: BTreeMap<String, String>,
    #[serde(default)]
    hides: BTreeMap<String, Vec<String>>,
    objects: BTreeMap<String, Vec<String>>,
}

impl Vocabulary {
    /// COCO's 80 objects as the reference program finds them.
    ///
    /// # Panics
    ///
    /// Never: the file is part of the crate, and tested.
    #[must_use]
    pub fn coco() -> Self {
        let text = include_str!("../../assets/chair/coco.toml");
        text.parse().expect("the bundled synonyms are valid")
    }

    /// Reads a file of synonyms.
    ///
    /// # Errors
    ///
    /// [`ChairError`] naming the file and the word.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ChairError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| {
            DataError::Core(vigc_core::Error::Read { path: path.to_owned(), source })
        })?;
        let invalid = |source| ChairError::Vocabulary { path: path.to_owned(), source };
        text.parse().map_err(invalid)
    }

    /// The names of the objects.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether there is an object of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The objects that a text names, each as often as it does.
    #[must_use]
    pub fn mentions(&self, text: &str) -> Vec<Mention<'_>> {
        let mut words = self.read(text);
        for (word, hidden) in &self.hides {
            if words.contains(word) {
                words.retain(|word| !hidden.contains(word));
            }
        }
        let mention = |word: String| {
            let object = self.objects.get(&word)?.as_str();
            Some(Mention { word, object })
        };
        words.into_iter().filter_map(mention).collect()
    }

    /// The words of a text in the form in which they are looked up, pairs as one.
    fn read(&self, text: &str) -> Vec<String> {
        let form = |word: String| {
            if self.as_written.contains(&word) { word } else { singular(&word).into_owned() }
        };
        let mut read = Vec::new();
        let mut forms = words(text).into_iter().map(form).peekable();
        while let Some(word) = forms.next() {
            let pair = forms.peek().and_then(|next| self.pairs.get(&format!("{word} {next}")));
            if pair.is_some() {
                forms.next();
            }
            read.push(pair.cloned().unwrap_or(word));
        }
        read
    }

    fn add(&mut self, name: &str, synonyms: &[String]) -> Result<(), VocabularyError> {
        self.names.insert(name.to_owned());
        for word in std::iter::once(name).chain(synonyms.iter().map(String::as_str)) {
            let (word, parts) = normal(word);
            if !(1..=2).contains(&parts) {
                return Err(VocabularyError::Parts { word, found: parts, expected: "one or two" });
            }
            if parts == 2 {
                self.pairs.insert(word.clone(), word.clone());
            }
            let other = self.objects.insert(word.clone(), name.to_owned());
            if let Some(one) = other.filter(|other| other != name) {
                return Err(VocabularyError::TwoObjects { word, one, other: name.to_owned() });
            }
        }
        Ok(())
    }

    fn read_as(&mut self, pair: &str, target: &str) -> Result<(), VocabularyError> {
        let (word, parts) = normal(pair);
        if parts != 2 {
            return Err(VocabularyError::Parts { word, found: parts, expected: "two" });
        }
        let target = match target {
            "" => word.clone(),
            target => self.known("read_as", target)?,
        };
        self.pairs.insert(word, target);
        Ok(())
    }

    fn known(&self, table: &'static str, word: &str) -> Result<String, VocabularyError> {
        let (word, _) = normal(word);
        let is_known = self.objects.contains_key(&word);
        if is_known { Ok(word) } else { Err(VocabularyError::UnknownWord { table, word }) }
    }
}

/// A word or several as they are found in captions, with one blank between them, and their number.
fn normal(text: &str) -> (String, usize) {
    let words = words(text);
    (words.join(" "), words.len())
}

impl FromStr for Vocabulary {
    type Err = VocabularyError;

    fn from_str(text: &str) -> Result<Self, VocabularyError> {
        let file: File = toml::from_str(text)?;
        let mut vocabulary = Self::default();
        for (name, synonyms) in &file.objects {
            vocabulary.add(name, synonyms)?;
        }
        for (pair, target) in &file.read_as {
            vocabulary.read_as(pair, target)?;
        }
        for (word, hidden) in &file.hides {
            let hidden = hidden.iter().map(|word| vocabulary.known("hides", word));
            let hidden = hidden.collect::<Result<_, _>>()?;
            vocabulary.hides.insert(vocabulary.known("hides", word)?, hidden);
        }
        let known = vocabulary.objects.keys().chain(vocabulary.pairs.keys());
        let known = known.flat_map(|words| words.split(' ')).map(str::to_owned);
        vocabulary.as_written = known.collect();
        for word in &file.plural_only {
            let word = vocabulary.known("plural_only", word)?;
            vocabulary.as_written.remove(&word);
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests;
