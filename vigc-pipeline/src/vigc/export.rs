//! Rows in the formats of others.

mod python_json;

use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vigc_core::files::partial_path;

pub use python_json::to_python_json;

use super::reference::ReferenceRow;
use super::sample::InstructionSample;
use crate::{Error, Result};

/// A format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// JSONL with everything known about each row.
    #[default]
    Vigc,
    /// LLaVA's conversations: one JSON list.
    Llava,
    /// The reference's rows: one JSON list, byte for byte as Python writes it.
    Reference,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Vigc, Self::Llava, Self::Reference];

    /// `vigc`, `llava` or `reference`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vigc => "vigc",
            Self::Llava => "llava",
            Self::Reference => "reference",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the formats'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}, expected vigc, llava or reference")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A sample as LLaVA's training reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlavaRecord {
    /// The image's name.
    pub id: String,
    /// The image file.
    pub image: String,
    /// Question and answer.
    pub conversations: Vec<LlavaTurn>,
}

/// A turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlavaTurn {
    /// `human` or `gpt`.
    pub from: String,
    /// What is said. The first turn begins with the place of the image.
    pub value: String,
}

impl LlavaRecord {
    /// One question and its answer.
    #[must_use]
    pub fn new(id: &str, image: &str, question: &str, answer: &str) -> Self {
        let turn = |from: &str, value: String| LlavaTurn { from: from.to_owned(), value };
        Self {
            id: id.to_owned(),
            image: image.to_owned(),
            conversations: vec![
                turn("human", format!("<image>\n{question}")),
                turn("gpt", answer.to_owned()),
            ],
        }
    }
}

/// A row in the formats of others.
pub trait Exported: Serialize {
    /// As LLaVA's training reads it.
    fn llava(&self) -> LlavaRecord;

    /// As the reference writes it, in Python's JSON.
    ///
    /// # Errors
    ///
    /// If it cannot be serialized.
    fn reference(&self) -> serde_json::Result<String>;
}

impl Exported for InstructionSample {
    fn llava(&self) -> LlavaRecord {
        LlavaRecord::new(&self.image_id, &self.image, &self.question, &self.answer)
    }

    fn reference(&self) -> serde_json::Result<String> {
        to_python_json(&ReferenceRow::from(self))
    }
}

/// Writes rows as one JSON list, whole or not at all.
///
/// # Errors
///
/// Returns the first error among `rows`, or [`Error::Write`] if the file cannot be written.
pub fn write_array<R: Exported>(
    path: impl AsRef<Path>,
    format: Format,
    rows: impl IntoIterator<Item = Result<R>>,
) -> Result<()> {
    // Python writes a list on one line, without a newline at the end.
    let marks = match format {
        Format::Vigc | Format::Llava => ["[\n", ",\n", "\n]\n"],
        Format::Reference => ["[", ", ", "]"],
    };
    let element = |row: R| match format {
        Format::Vigc => serde_json::to_string(&row),
        Format::Llava => serde_json::to_string(&row.llava()),
        Format::Reference => row.reference(),
    };
    write_list(path.as_ref(), marks, rows.into_iter().map(|row| row.map(element)))
}

/// Writes elements between what opens, separates and closes a list.
pub(crate) fn write_list(
    path: &Path,
    [open, separator, close]: [&str; 3],
    elements: impl Iterator<Item = Result<serde_json::Result<String>>>,
) -> Result<()> {
    let fail = |source| Error::Write { path: path.to_owned(), source };
    let temporary = partial_path(path);
    let mut writer = BufWriter::new(File::create(&temporary).map_err(fail)?);
    let mut before = open;
    for element in elements {
        let element = element?.map_err(|source| fail(source.into()))?;
        write!(writer, "{before}{element}").map_err(fail)?;
        before = separator;
    }
    let before = if before == open { open } else { "" };
    write!(writer, "{before}{close}").map_err(fail)?;
    let file = writer.into_inner().map_err(|error| fail(error.into_error()))?;
    file.sync_all().and_then(|()| fs::rename(&temporary, path)).map_err(fail)
}
