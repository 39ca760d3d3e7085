//! COCO: captions, and the objects in images.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::annotation::{Annotation, Annotations, Row, read_list};
use super::error::DataError;

/// Reads `captions_*.json`. Each caption becomes an annotation without a question.
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

/// An object in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct CocoObject {
    /// Its category.
    pub category: String,
    /// Its bounding box: left, top, width and height in pixels.
    pub bbox: [f64; 4],
}

/// Reads `instances_*.json`: the objects of every image, by file name. Images without objects have empty lists.
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
    let mut images: BTreeMap<String, Vec<CocoObject>> =
        names_by_id.values().map(|name| (name.clone(), Vec::new())).collect();
    for (row, object) in read_list(path, "annotations")?.iter().enumerate() {
        let row = Row { path, row, object };
        let object = CocoObject {
            category: lookup(&row, "category_id", &categories)?,
            bbox: bounding_box(&row)?,
        };
        images.entry(lookup(&row, "image_id", &names_by_id)?).or_default().push(object);
    }
    Ok(images)
}

fn bounding_box(row: &Row<'_>) -> Result<[f64; 4], DataError> {
    let found = row.get("bbox");
    let numbers = found.and_then(Value::as_array).and_then(|numbers| {
        let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
        numbers?.try_into().ok()
    });
    numbers.ok_or_else(|| row.wrong("bbox", found, "four numbers"))
}

/// The names of ids: the value of `key` for each `id` of a list.
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
