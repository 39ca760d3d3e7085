//! COCO's instances and captions.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::{Kind, Split};
use super::{DatasetError, Sample, failed};

/// The records of a split, written at its end because each file has several lists.
pub(super) struct Coco {
    folder: PathBuf,
    split: Split,
    images: Vec<Value>,
    instances: Vec<Value>,
    captions: Vec<Value>,
}

impl Coco {
    pub(super) fn new(folder: &Path, split: Split) -> Self {
        let (images, instances, captions) = (Vec::new(), Vec::new(), Vec::new());
        Self { folder: folder.to_owned(), split, images, instances, captions }
    }

    pub(super) fn add(&mut self, sample: &Sample, side: u32, caption: &str) {
        let id = sample.id;
        self.images.push(json!({
            "id": id, "file_name": sample.file_name(), "width": side, "height": side,
        }));
        self.captions.push(json!({
            "id": self.captions.len() + 1, "image_id": id, "caption": caption,
        }));
        let masks = sample.scene.masks(side);
        for (index, object) in sample.scene.objects.iter().enumerate() {
            self.instances.push(json!({
                "id": self.instances.len() + 1,
                "image_id": id,
                "category_id": object.kind.index() + 1,
                "bbox": masks.bounding_box(index).unwrap_or_default(),
                "area": masks.area(index),
                "segmentation": { "size": [side, side], "counts": masks.run_lengths(index) },
                "iscrowd": 0,
                "color": object.color,
                "size": object.size,
                "position": object.cell.name(),
            }));
        }
    }

    pub(super) fn finish(self) -> Result<(), DatasetError> {
        let info = json!({ "description": format!("rendered scenes, {}", self.split.name()) });
        let categories: Vec<Value> = Kind::ALL
            .iter()
            .map(|kind| json!({ "id": kind.index() + 1, "name": kind.name(), "supercategory": "object" }))
            .collect();
        let instances = json!({
            "info": info,
            "images": self.images,
            "annotations": self.instances,
            "categories": categories,
        });
        let captions = json!({ "info": info, "images": self.images, "annotations": self.captions });
        for (name, value) in [("instances", instances), ("captions", captions)] {
            let path = self.folder.join(format!("{name}_{}.json", self.split.name()));
            fs::write(&path, value.to_string()).map_err(failed(&path))?;
        }
        Ok(())
    }
}
