//! Whether the picture is there.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::ImageReader;
use serde::{Deserialize, Serialize};

use super::{Gate, Outcome};
use crate::curation::{Pictures, Row};

/// The settings of [`Picture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureSettings {
    /// Whether the gate is on.
    pub enabled: bool,
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Drops rows whose picture is missing or is no picture, as its header tells; pixels are not decoded.
///
/// Remembers each picture's name, so that it is opened once.
#[derive(Debug)]
pub struct Picture {
    pictures: Pictures,
    known: HashMap<String, Outcome>,
}

impl Picture {
    /// For pictures at these places.
    #[must_use]
    pub fn new(pictures: Pictures) -> Self {
        Self { pictures, known: HashMap::new() }
    }
}

impl Gate for Picture {
    fn check(&mut self, row: &Row) -> Outcome {
        if let Some(outcome) = self.known.get(row.image()) {
            return outcome.clone();
        }
        let outcome = look_at(&self.pictures.file(row));
        self.known.insert(row.image().to_owned(), outcome.clone());
        outcome
    }
}

fn look_at(path: &Path) -> Outcome {
    let file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) => return Outcome::dropped("missing", format!("{}: {error}", path.display())),
    };
    let reader = ImageReader::new(file).with_guessed_format();
    match reader.map_err(Into::into).and_then(ImageReader::into_dimensions) {
        Ok(_) => Outcome::Passed,
        Err(error) => Outcome::dropped("unreadable", format!("{}: {error}", path.display())),
    }
}
