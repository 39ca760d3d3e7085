//! Objects, the words that stand for them, and the objects that a caption mentions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use super::words::{singular, words};
use crate::error::{Error, VocabularyError};

/// Objects and the words that stand for them.
///
/// A synonym file is TOML. Only the table `[objects]` is required:
///
/// ```toml
/// # Words that are found in their plural form only.
/// plural_only = ["bus"]
///
/// # Pairs of words that are read as one word. "" means no object.
/// [read_as]
/// "baby bird" = "bird"
/// "train track" = ""
///
/// # If a caption has the first word, the others are ignored.
/// [hides]
/// toilet = ["seat"]
///
/// # Every annotated category with its synonyms of one or two words.
/// [objects]
/// person = ["man", "woman"]
/// "traffic light" = []
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    names: BTreeSet<String>,
    /// The object of each word, or of each pair of words with a space between them.
    objects: HashMap<String, String>,
    /// Pairs of words, and the word that they are read as.
    pairs: HashMap<String, String>,
    /// Words that are looked up as they are written. All others are looked up in the singular.
    as_written: HashSet<String>,
    hides: BTreeMap<String, Vec<String>>,
}

/// A mention of an object in a caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The word, usually in the singular.
    pub word: String,
    /// The object.
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
    /// COCO's 80 objects with the synonyms of the upstream program.
    ///
    /// # Panics
    ///
    /// Never: the file is part of the crate, and a test reads it.
    #[must_use]
    pub fn coco() -> Self {
        let text = include_str!("../../assets/chair/coco.toml");
        text.parse().expect("the bundled synonyms are valid")
    }

    /// Reads a synonym file.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the file cannot be read, [`Error::Vocabulary`] if it is not valid.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| vigc_core::Error::Read { path: path.to_owned(), source })?;
        let invalid = |source| Error::Vocabulary { path: path.to_owned(), source };
        text.parse().map_err(invalid)
    }

    /// The names of the objects.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether an object has this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// All mentions of objects in a text.
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

    /// The words of a text in the form in which they are looked up. A known pair is one word.
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
                return Err(VocabularyError::WordCount {
                    word,
                    found: parts,
                    expected: "one or two",
                });
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
            return Err(VocabularyError::WordCount { word, found: parts, expected: "two" });
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

/// Words in the form that they have in captions, with one space between them, and their number.
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
mod tests {
    use super::*;

    fn objects(vocabulary: &Vocabulary, text: &str) -> String {
        let objects: Vec<&str> =
            vocabulary.mentions(text).iter().map(|found| found.object).collect();
        objects.join(", ")
    }

    #[test]
    fn captions_mention_cocos_objects() {
        let coco = Vocabulary::coco();
        assert_eq!(coco.names().count(), 80);
        let cases = [
            ("Two women and a man with bikes.", "person, person, bicycle"),
            ("Hot dogs, a dog and a hot stove", "hot dog, dog, oven"),
            ("a train on train tracks", "train"),
            ("a man-made lake", ""),
            ("a bow tie and two bows", "tie, tie"),
            ("stop signs at a stop light", "stop sign, traffic light"),
            ("the seat of the toilet; a toilet seat", "toilet, toilet"),
            ("the seat of a bicycle", "chair, bicycle"),
            ("a baby elephant and a baby", "elephant, person"),
            ("a bus, two buses", "bus"),
            ("skis and a pair of scissors", "skis, scissors"),
            ("wine glasses, a wine glass, glasses", "wine glass, wine glass"),
            ("a tennis racket on the dining table", "tennis racket, dining table"),
            ("a motor bike, a motorbike", "motorcycle"),
        ];
        for (text, expected) in cases {
            assert_eq!(objects(&coco, text), expected, "{text}");
        }
    }

    #[test]
    fn other_objects_are_found_by_their_own_words() {
        let file = r#"
            [objects]
            Bus = ["coach", "double  decker"]
            "traffic cone" = []
            glasses = []
            [read_as]
            "coach driver" = ""
        "#;
        let vocabulary: Vocabulary = file.parse().unwrap();
        let text = "A bus, double deckers, glasses, traffic cones and a coach driver";
        assert_eq!(objects(&vocabulary, text), "Bus, Bus, glasses, traffic cone");
        assert!(vocabulary.has("Bus") && !vocabulary.has("bus"));
    }

    #[test]
    fn an_invalid_file_is_refused() {
        let cases = [
            ("objects = 3", "invalid type"),
            ("[objects]\n[synonyms]", "unknown field `synonyms`"),
            ("[objects]\ncat = ['pet']\ndog = ['pet']", r#""pet" stands for "cat" and for "dog""#),
            ("[objects]\noven = ['stove top oven']", "has 3 words, expected one or two"),
            ("[objects]\nsuit = [\"man's suit\"]", r#""man 's suit" has 3 words"#),
            ("[objects]\ncat = ['']", r#""" has 0 words"#),
            ("[objects]\ncat = []\n[read_as]\nkitten = 'cat'", "has 1 words, expected two"),
            (
                "[objects]\ncat = []\n[read_as]\n'baby dog' = 'dog'",
                r#"read_as: "dog" is not the name"#,
            ),
            ("[objects]\ncat = []\n[hides]\ncat = ['dog']", r#"hides: "dog" is not the name"#),
            ("plural_only = ['bus']\n[objects]", r#"plural_only: "bus" is not the name"#),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Vocabulary>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("synonyms.toml");
        fs::write(&path, "plural_only = ['bus']\n[objects]").unwrap();
        let error = Vocabulary::open(&path).unwrap_err();
        assert!(error.to_string().contains("synonyms.toml"), "{error}");
        assert!(Vocabulary::open(folder.path().join("none")).is_err());
    }
}
