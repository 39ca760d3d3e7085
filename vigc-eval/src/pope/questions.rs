//! Images with their objects, and questions about them, in the formats of the upstream program.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vigc_pipeline::data::{DataError, open_coco_instances};

use crate::rows;

/// An image and its objects, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file name.
    pub image: String,
    /// The objects. Questions are about the first ones.
    pub objects: Vec<String>,
}

impl Picture {
    /// An image with these objects. Repeated ones count once.
    #[must_use]
    pub fn new(image: impl Into<String>, objects: impl IntoIterator<Item = String>) -> Self {
        let mut picture = Self { image: image.into(), objects: Vec::new() };
        for object in objects {
            if !picture.shows(&object) {
                picture.objects.push(object);
            }
        }
        picture
    }

    /// Whether the object is in the image.
    #[must_use]
    pub fn shows(&self, object: &str) -> bool {
        self.objects.iter().any(|shown| shown == object)
    }
}

/// Reads the upstream program's file of objects: `{"image": "1.jpg", "objects": ["cat", "bed"]}` per line.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_pictures(path: impl AsRef<Path>) -> Result<Vec<Picture>, DataError> {
    rows::read(path.as_ref(), |row| {
        let found = row.get("objects");
        let objects = match found.and_then(|objects| objects.as_array()) {
            Some(objects) if objects.is_empty() => Vec::new(),
            Some(_) => row.texts("objects")?,
            None => return Err(row.wrong("objects", found, "a list of strings")),
        };
        Ok(Picture::new(row.text("image")?, objects))
    })
}

/// Reads COCO's `instances_*.json`: images sorted by file name, objects in the order of their annotations.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn pictures_of_instances(path: impl AsRef<Path>) -> Result<Vec<Picture>, DataError> {
    let pictures = open_coco_instances(path)?.into_iter().map(|(image, objects)| {
        Picture::new(image, objects.into_iter().map(|object| object.category))
    });
    Ok(pictures.collect())
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// The object is in the image.
    Yes,
    /// The object is not in the image.
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

/// A question about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Its number in its set.
    pub question_id: u64,
    /// The file name of the image.
    pub image: String,
    /// The question.
    pub text: String,
    /// The right answer.
    pub label: Label,
}

/// Questions of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionSet {
    /// `random`, `popular` or `adversarial`, or another name.
    pub name: String,
    /// The questions.
    pub questions: Vec<Question>,
}

impl QuestionSet {
    /// The questions with their ids in the suite, such as `random/1`.
    pub(super) fn with_ids(&self) -> impl Iterator<Item = (String, &Question)> {
        let id = |question: &Question| format!("{}/{}", self.name, question.question_id);
        self.questions.iter().map(move |question| (id(question), question))
    }
}

/// Reads questions as `coco_pope_random.json` and others are published:
/// `{"question_id": 1, "image": "1.jpg", "text": "Is there a cat in the image?", "label": "yes"}` per line. Other keys
/// are ignored.
///
/// # Errors
///
/// [`DataError`] naming file, row and key, also if two questions have the same number.
pub fn open_questions(path: impl AsRef<Path>) -> Result<Vec<Question>, DataError> {
    let mut known = HashSet::new();
    rows::read(path.as_ref(), |row| {
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

/// Writes questions in the format that [`open_questions`] reads, byte for byte as the upstream program does.
///
/// # Errors
///
/// [`Write`](vigc_core::Error::Write) if the file cannot be written.
pub fn write_questions(path: impl AsRef<Path>, questions: &[Question]) -> vigc_core::Result<()> {
    rows::write(path.as_ref(), questions)
}
