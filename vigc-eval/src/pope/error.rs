//! What can be wrong with pictures, questions and answers.

use vigc_pipeline::data::DataError;

/// Why POPE cannot be asked or scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PopeError {
    /// A file could not be read or written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Too few pictures show as many objects as are asked for.
    #[error("{found} pictures show {objects} or more objects, expected {expected}")]
    TooFewPictures {
        /// How many pictures do.
        found: usize,
        /// How many objects each is asked about.
        objects: usize,
        /// How many pictures are wanted.
        expected: usize,
    },
    /// The template has no place for the object.
    #[error("the template {template:?} has no {{}}, where the object goes")]
    Template {
        /// The template.
        template: String,
    },
    /// An answer is to a question that is not asked.
    #[error("there is no question {id:?}; expected the name of a set, a slash and a question_id")]
    UnknownQuestion {
        /// The answer's id.
        id: String,
    },
}
