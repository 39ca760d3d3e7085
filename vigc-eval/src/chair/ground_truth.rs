//! The objects in images, from annotated instances and from captions that people wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vigc_pipeline::data::{open_coco_captions, open_coco_instances};

use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};

/// The objects in each image, by the image's file name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroundTruth {
    images: BTreeMap<String, BTreeSet<String>>,
}

impl GroundTruth {
    /// Reads `instances_*.json` of COCO.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] naming file and row, or [`Error::Category`] if a category is not in the vocabulary.
    pub fn open(vocabulary: &Vocabulary, instances: impl AsRef<Path>) -> Result<Self> {
        let mut truth = Self::default();
        truth.add_instances(vocabulary, instances)?;
        Ok(truth)
    }

    /// Adds the annotated objects of another `instances_*.json`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); then nothing is added.
    pub fn add_instances(&mut self, vocabulary: &Vocabulary, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let images = open_coco_instances(path)?;
        let unknown = images.values().flatten().find(|found| !vocabulary.has(&found.category));
        if let Some(object) = unknown {
            let category = object.category.clone();
            return Err(Error::Category { path: path.to_owned(), category });
        }
        for (image, objects) in images {
            let known = self.images.entry(image).or_default();
            known.extend(objects.into_iter().map(|object| object.category));
        }
        Ok(())
    }

    /// Adds the objects that the captions of a `captions_*.json` mention. The published numbers count these objects as
    /// present: people saw them, even if nobody drew a box.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] naming file and row; then nothing is added.
    pub fn add_captions(&mut self, vocabulary: &Vocabulary, path: impl AsRef<Path>) -> Result<()> {
        for row in open_coco_captions(path)?.rows {
            let known = self.images.entry(row.image.to_string_lossy().into_owned()).or_default();
            for (caption, _) in &row.answers {
                let mentions = vocabulary.mentions(caption);
                known.extend(mentions.iter().map(|mention| mention.object.to_owned()));
            }
        }
        Ok(())
    }

    /// The images with their objects, sorted by file name.
    pub fn images(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.images.iter().map(|(image, objects)| (image.as_str(), objects))
    }

    /// The objects in an image, if the image is known.
    #[must_use]
    pub fn objects(&self, image: &str) -> Option<&BTreeSet<String>> {
        self.images.get(image)
    }

    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Keeps only the images for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.images.retain(|image, _| keep(image));
    }
}
