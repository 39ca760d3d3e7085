//! COCO: captions, and the objects in pictures.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::DataError;
use super::annotation::{Annotation, Annotations, Row};
use super::vqa::read_list;

/// Reads `captions_*.json`: one annotation per caption, without a question.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_coco_captions(path: impl AsRef<Path>) -> Result<Annotations, DataError> {
    let path = path.as_ref();
    let names = names(path, "images", "file_name")?;
    let mut rows = Vec::new();
    for (row, object) in read_list(path, "annotations")?.iter().enumerate() {
        let row = Row { path, row, object };
        rows.push(Annotation {
            image: lookup(&row, "image_id", &names)?.into(),
            question: String::new(),
            answers: vec![(row.text("caption")?.trim().to_owned(), 1.0)],
            choices: None,
            question_id: row.name("id"),
        });
    }
    Ok(Annotations { path: path.to_owned(), rows })
}

/// An object in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct CocoObject {
    /// What it is.
    pub category: String,
    /// Left, top, width and height in pixels.
    pub bbox: [f64; 4],
}

/// Reads `instances_*.json`: the objects of every picture, by file name. Pictures without objects
/// are there, too.
///
/// # Errors
///
/// [`DataError`] naming file, row and key.
pub fn open_coco_instances(
    path: impl AsRef<Path>,
) -> Result<BTreeMap<String, Vec<CocoObject>>, DataError> {
    let path = path.as_ref();
    let names_by_id = names(path, "images", "file_name")?;
    let categories = names(path, "categories", "name")?;
    let mut pictures: BTreeMap<String, Vec<CocoObject>> =
        names_by_id.values().map(|name| (name.clone(), Vec::new())).collect();
    for (row, object) in read_list(path, "annotations")?.iter().enumerate() {
        let row = Row { path, row, object };
        let object = CocoObject {
            category: lookup(&row, "category_id", &categories)?,
            bbox: bounding_box(&row)?,
        };
        pictures.entry(lookup(&row, "image_id", &names_by_id)?).or_default().push(object);
    }
    Ok(pictures)
}

fn bounding_box(row: &Row<'_>) -> Result<[f64; 4], DataError> {
    let found = row.get("bbox");
    let numbers = found.and_then(Value::as_array).and_then(|numbers| {
        let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
        numbers?.try_into().ok()
    });
    numbers.ok_or_else(|| row.wrong("bbox", found, "four numbers"))
}

/// What the list at `list` calls its ids.
fn names(
    path: &Path,
    list: &'static str,
    key: &'static str,
) -> Result<BTreeMap<u64, String>, DataError> {
    let objects = read_list(path, list)?;
    let entry = |(row, object)| {
        let row = Row { path, row, object };
        Ok((row.number("id")?, row.text(key)?))
    };
    objects.iter().enumerate().map(entry).collect()
}

fn lookup(
    row: &Row<'_>,
    key: &'static str,
    names: &BTreeMap<u64, String>,
) -> Result<String, DataError> {
    let name = names.get(&row.number(key)?).cloned();
    name.ok_or_else(|| row.wrong(key, row.get(key), "an id that the file lists"))
}
