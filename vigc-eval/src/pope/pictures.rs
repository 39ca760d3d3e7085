//! The pictures that questions are made about.

use std::path::Path;

use crate::json_lines;
use vigc_pipeline::data::{DataError, open_coco_instances};

/// A picture and the objects in it, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its file name.
    pub image: String,
    /// The objects. The first ones are those that are asked for.
    pub objects: Vec<String>,
}

impl Picture {
    /// A picture with these objects; repeated ones count once.
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

    /// Whether the object is in it.
    #[must_use]
    pub fn shows(&self, object: &str) -> bool {
        self.objects.iter().any(|shown| shown == object)
    }
}

/// Reads the reference program's file of objects: `{"image": "1.jpg", "objects": ["cat", "bed"]}` a line.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_pictures(path: impl AsRef<Path>) -> Result<Vec<Picture>, DataError> {
    json_lines::read(path.as_ref(), |row| {
        let found = row.get("objects");
        let objects = match found.and_then(|objects| objects.as_array()) {
            Some(objects) if objects.is_empty() => Vec::new(),
            Some(_) => row.texts("objects")?,
            None => return Err(row.wrong("objects", found, "a list of strings")),
        };
        Ok(Picture::new(row.text("image")?, objects))
    })
}

/// Reads COCO's `instances_*.json`: pictures by name, objects in the order in which they are annotated.
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
