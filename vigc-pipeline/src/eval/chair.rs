//! CHAIR: how many of the objects that captions name are not in the picture.
//!
//! Rohrbach et al., "Object Hallucination in Image Captioning", 2018. Captions are read as the reference
//! program reads them (`utils/chair.py` of LisaAnne/Hallucination; for recall, Maxlinn/CHAIR-metric-standalone):
//! words are made singular by the rules of the Python package `pattern` and looked up in a list of synonyms.
//! Programs that look up lemmas instead, as OPERA's does, find a `bus` where this one finds `buses` only.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Vocabulary`] | objects and the words that stand for them: COCO's or those of a file |
//! | [`GroundTruth`] | what is in the pictures, from `instances_*.json` and `captions_*.json` |
//! | [`Score`] | `CHAIRs`, `CHAIRi`, recall, and what each caption names |

mod error;
mod ground_truth;
mod report;
mod score;
mod singular;
mod vocabulary;
mod words;

use std::collections::HashMap;
use std::path::PathBuf;

pub use error::{ChairError, VocabularyError};
pub use ground_truth::GroundTruth;
pub use score::{CaptionScore, Named, Score};
pub use singular::singular;
pub use vocabulary::{Mention, Vocabulary};

use super::answers::{Ask, AskImage, How};
use vigc_core::random::EpochOrder;

/// What is asked unless something else is said.
pub const PROMPT: &str = "Please describe this image in detail.";

/// Captions to be written and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chair {
    vocabulary: Vocabulary,
    truth: GroundTruth,
    images: PathBuf,
    prompt: String,
}

impl Chair {
    /// Asks for a caption of every picture of the ground truth; their files are in the folder `images`.
    #[must_use]
    pub fn new(vocabulary: Vocabulary, truth: GroundTruth, images: impl Into<PathBuf>) -> Self {
        Self { vocabulary, truth, images: images.into(), prompt: PROMPT.to_owned() }
    }

    /// Asks this instead of [`PROMPT`].
    #[must_use]
    pub fn with_prompt(self, prompt: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), ..self }
    }

    /// Only the pictures for which `keep` holds, for example those that there are captions of.
    #[must_use]
    pub fn with_pictures(mut self, keep: impl FnMut(&str) -> bool) -> Self {
        self.truth.retain(keep);
        self
    }

    /// Only so many of the pictures, drawn by this seed. The published numbers are about 500 of COCO's
    /// validation set.
    #[must_use]
    pub fn with_sample(mut self, count: usize, seed: u64) -> Self {
        let len = self.truth.len() as u64;
        let order = EpochOrder { seed, len };
        let mut drawn: Vec<u64> = (0..len.min(count as u64)).map(|at| order.item(at)).collect();
        drawn.sort_unstable();
        let mut position = 0..;
        self.truth.retain(|_| position.next().is_some_and(|at| drawn.binary_search(&at).is_ok()));
        self
    }

    /// What is to be asked; a picture's file name is the id.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        let ask = |picture: &str| Ask {
            id: picture.to_owned(),
            image: AskImage::File(self.images.join(picture)),
            prompt: self.prompt.clone(),
            how: How::Write,
        };
        self.truth.pictures().map(|(picture, _)| ask(picture)).collect()
    }

    /// Judges captions, by picture.
    ///
    /// A missing caption counts as one that names what is not there, and finds none of the picture's objects.
    ///
    /// # Errors
    ///
    /// [`ChairError::UnknownPicture`] if a caption is about none of the pictures: most likely it belongs to
    /// another suite.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score, ChairError> {
        let unknown = answers.keys().filter(|id| self.truth.objects(id).is_none()).min();
        if let Some(id) = unknown {
            return Err(ChairError::UnknownPicture { id: id.clone() });
        }
        let captions = self.truth.pictures().map(|(picture, objects)| CaptionScore {
            id: picture.to_owned(),
            image: self.images.join(picture),
            caption: answers.get(picture).cloned(),
            named: self.named(answers.get(picture).map_or("", String::as_str), picture),
            objects: objects.clone(),
        });
        Ok(Score { prompt: self.prompt.clone(), captions: captions.collect() })
    }

    fn named(&self, caption: &str, picture: &str) -> Vec<Named> {
        let objects = self.truth.objects(picture);
        let named = |found: Mention<'_>| Named {
            is_there: objects.is_some_and(|objects| objects.contains(found.object)),
            object: found.object.to_owned(),
            word: found.word,
        };
        self.vocabulary.mentions(caption).into_iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests;
