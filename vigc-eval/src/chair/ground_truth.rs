//! What is in the pictures, from annotated objects and from captions that people wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::ChairError;
use super::vocabulary::Vocabulary;
use vigc_pipeline::data::{open_coco_captions, open_coco_instances};

/// The objects in each picture, by its file name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroundTruth {
    pictures: BTreeMap<String, BTreeSet<String>>,
}

impl GroundTruth {
    /// Reads `instances_*.json`. More files add to it.
    ///
    /// # Errors
    ///
    /// [`ChairError`] naming file and row, or a category that the vocabulary does not have.
    pub fn open(vocabulary: &Vocabulary, instances: impl AsRef<Path>) -> Result<Self, ChairError> {
        let mut truth = Self::default();
        truth.add_instances(vocabulary, instances)?;
        Ok(truth)
    }

    /// Adds the annotated objects of another `instances_*.json`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); then nothing is added.
    pub fn add_instances(
        &mut self,
        vocabulary: &Vocabulary,
        path: impl AsRef<Path>,
    ) -> Result<(), ChairError> {
        let path = path.as_ref();
        let pictures = open_coco_instances(path)?;
        let strange = pictures.values().flatten().find(|found| !vocabulary.has(&found.category));
        if let Some(object) = strange {
            let category = object.category.clone();
            return Err(ChairError::Category { path: path.to_owned(), category });
        }
        for (picture, objects) in pictures {
            let known = self.pictures.entry(picture).or_default();
            known.extend(objects.into_iter().map(|object| object.category));
        }
        Ok(())
    }

    /// Adds what the captions of a `captions_*.json` name. The published numbers count it as there: people
    /// saw it, even where no box was drawn.
    ///
    /// # Errors
    ///
    /// [`ChairError`] naming file and row; then nothing is added.
    pub fn add_captions(
        &mut self,
        vocabulary: &Vocabulary,
        path: impl AsRef<Path>,
    ) -> Result<(), ChairError> {
        for row in open_coco_captions(path)?.rows {
            let known = self.pictures.entry(row.image.to_string_lossy().into_owned()).or_default();
            for (caption, _) in &row.answers {
                let mentions = vocabulary.mentions(caption);
                known.extend(mentions.iter().map(|mention| mention.object.to_owned()));
            }
        }
        Ok(())
    }

    /// The pictures with what is in them, in the order of their names.
    pub fn pictures(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.pictures.iter().map(|(picture, objects)| (picture.as_str(), objects))
    }

    /// What is in a picture, if it is known.
    #[must_use]
    pub fn objects(&self, picture: &str) -> Option<&BTreeSet<String>> {
        self.pictures.get(picture)
    }

    /// How many pictures there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Whether there is no picture.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// Keeps the pictures for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.pictures.retain(|picture, _| keep(picture));
    }
}
