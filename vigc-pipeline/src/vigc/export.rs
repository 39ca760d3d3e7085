//! Rows in the formats of others.

mod python_json;

use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vigc_core::config::temporary_name;

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

impl From<&InstructionSample> for LlavaRecord {
    fn from(sample: &InstructionSample) -> Self {
        let turn = |from: &str, value: String| LlavaTurn { from: from.to_owned(), value };
        Self {
            id: sample.image_id.clone(),
            image: sample.image.clone(),
            conversations: vec![
                turn("human", format!("<image>\n{}", sample.question)),
                turn("gpt", sample.answer.clone()),
            ],
        }
    }
}

/// Writes rows as one JSON list, whole or not at all.
///
/// # Errors
///
/// Returns the first error among `rows`, or [`Error::Write`] if the file cannot be written.
pub fn write_array(
    path: impl AsRef<Path>,
    format: Format,
    rows: impl IntoIterator<Item = Result<InstructionSample>>,
) -> Result<()> {
    let path = path.as_ref();
    let fail = |source| Error::Write { path: path.to_owned(), source };
    // Python writes a list on one line, without a newline at the end.
    let [open, separator, close] = match format {
        Format::Vigc | Format::Llava => ["[\n", ",\n", "\n]\n"],
        Format::Reference => ["[", ", ", "]"],
    };
    let temporary = temporary_name(path);
    let mut writer = BufWriter::new(File::create(&temporary).map_err(fail)?);
    let mut before = open;
    for row in rows {
        let row = element(&row?, format).map_err(|source| fail(source.into()))?;
        write!(writer, "{before}{row}").map_err(fail)?;
        before = separator;
    }
    let before = if before == open { open } else { "" };
    write!(writer, "{before}{close}").map_err(fail)?;
    let file = writer.into_inner().map_err(|error| fail(error.into_error()))?;
    file.sync_all().and_then(|()| fs::rename(&temporary, path)).map_err(fail)
}

fn element(sample: &InstructionSample, format: Format) -> serde_json::Result<String> {
    match format {
        Format::Vigc => serde_json::to_string(sample),
        Format::Llava => serde_json::to_string(&LlavaRecord::from(sample)),
        Format::Reference => to_python_json(&ReferenceRow::from(sample)),
    }
}
