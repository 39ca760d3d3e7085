//! Questions in the format in which they are published.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::json_lines;
use vigc_pipeline::data::DataError;

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// The object is in the picture.
    Yes,
    /// It is not.
    No,
}

impl Label {
    /// `yes` or `no`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// A question for an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Its number in its set.
    pub question_id: u64,
    /// The picture's file name.
    pub image: String,
    /// The question.
    pub text: String,
    /// The right answer.
    pub label: Label,
}

/// Reads `{"question_id": 1, "image": "1.jpg", "text": "Is there a cat in the image?", "label": "yes"}` a
/// line, as `coco_pope_random.json` and others are published. Other keys are left aside.
///
/// # Errors
///
/// [`DataError`] naming file, row and key; a number that two questions have is one, too.
pub fn open_questions(path: impl AsRef<Path>) -> Result<Vec<Question>, DataError> {
    let mut known = HashSet::new();
    json_lines::read(path.as_ref(), |row| {
        let question_id = row.number("question_id")?;
        if !known.insert(question_id) {
            let found = row.get("question_id");
            return Err(row.wrong("question_id", found, "a number that no other row has"));
        }
        let label = match row.text("label")?.as_str() {
            "yes" => Label::Yes,
            "no" => Label::No,
            _ => return Err(row.wrong("label", row.get("label"), "\"yes\" or \"no\"")),
        };
        Ok(Question { question_id, image: row.text("image")?, text: row.text("text")?, label })
    })
}

/// Writes questions in the format that [`open_questions`] reads, byte for byte as the reference program does.
///
/// # Errors
///
/// [`DataError::Core`] if the file cannot be written.
pub fn write_questions(path: impl AsRef<Path>, questions: &[Question]) -> Result<(), DataError> {
    json_lines::write(path.as_ref(), questions)
}
