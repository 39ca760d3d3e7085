//! What can be wrong with synonyms, ground truth and answers.

use std::path::PathBuf;

use vigc_pipeline::data::DataError;

/// Why CHAIR cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChairError {
    /// A file could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of synonyms does not make sense.
    #[error("{path} is not a file of synonyms")]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: VocabularyError,
    },
    /// An annotated category is not among the objects that words stand for.
    #[error("{path}: the category {category:?} is not an object of the synonyms")]
    Category {
        /// The file of instances.
        path: PathBuf,
        /// The category.
        category: String,
    },
    /// A caption is about a picture that is not evaluated.
    #[error("there is no picture {id:?}; expected a file_name of the instances")]
    UnknownPicture {
        /// The caption's id.
        id: String,
    },
}

/// What is wrong with synonyms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// The text is not TOML with the tables of a vocabulary.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A word stands for two objects.
    #[error("{word:?} stands for {one:?} and for {other:?}, expected one object")]
    TwoObjects {
        /// The word.
        word: String,
        /// One object.
        one: String,
        /// The other.
        other: String,
    },
    /// A name or a synonym has no words or too many.
    #[error("{word:?} has {found} words, expected {expected}")]
    Parts {
        /// The name.
        word: String,
        /// How many words it has.
        found: usize,
        /// How many it may have.
        expected: &'static str,
    },
    /// A rule is about a word that stands for nothing.
    #[error("{table}: {word:?} is no name and no synonym of an object")]
    UnknownWord {
        /// The table of the rule.
        table: &'static str,
        /// The word.
        word: String,
    },
}
