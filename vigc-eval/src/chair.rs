//! CHAIR: how many of the objects that captions mention are not in the image.
//!
//! Rohrbach et al., "Object Hallucination in Image Captioning", 2018. Captions are read as the upstream program reads
//! them (`utils/chair.py` of LisaAnne/Hallucination; for recall, Maxlinn/CHAIR-metric-standalone): words are put in the
//! singular by the rules of the Python package `pattern` and looked up in a list of synonyms. Programs that look up
//! lemmas instead, as OPERA's does, also find a `bus`, where this module only finds `buses`.
//!
//! | type | what it holds |
//! |---|---|
//! | [`Vocabulary`] | objects with their synonyms: COCO's, or those of a file |
//! | [`GroundTruth`] | the objects in the images, from `instances_*.json` and `captions_*.json` |
//! | [`Chair`] | the suite: asks for captions and scores them |
//! | [`Score`] | `CHAIRs`, `CHAIRi`, recall, and the mentions of each caption |

mod ground_truth;
mod score;
mod vocabulary;
mod words;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use vigc_core::random::EpochOrder;

pub use ground_truth::GroundTruth;
pub use score::{CaptionScore, Score, ScoredMention};
pub use vocabulary::{Mention, Vocabulary};
pub use words::singular;

use crate::answers::{AnswerKeys, AnswerMode, Answers, Query, QueryImage};
use crate::error::Result;
use crate::report::Findings;
use crate::suite::{IMAGES_TO_USE, Suite, SuiteKind, SuiteOption, SuiteOptions, check_known};

/// The default prompt.
pub const PROMPT: &str = "Please describe this image in detail.";

/// The suite `chair`.
pub const CHAIR: SuiteKind = SuiteKind {
    name: "chair",
    about: "objects that captions mention but the image does not show; annotations: COCO's instances_*.json",
    options: &[
        SuiteOption {
            name: "references",
            value: "FILE",
            about: "captions that people wrote, as captions_*.json; what they mention counts as present",
        },
        SuiteOption {
            name: "synonyms",
            value: "FILE",
            about: "objects with their synonyms, as TOML [default: COCO's]",
        },
        IMAGES_TO_USE,
    ],
    open: |options| Ok(Box::new(open(options)?)),
};

fn open(options: &SuiteOptions) -> Result<Chair> {
    let vocabulary = match options.get::<PathBuf>("synonyms")? {
        Some(path) => Vocabulary::open(path)?,
        None => Vocabulary::coco(),
    };
    let mut truth = GroundTruth::open(&vocabulary, options.annotations()?)?;
    if let Some(path) = options.get::<PathBuf>("references")? {
        truth.add_captions(&vocabulary, path)?;
    }
    let chair = Chair::new(vocabulary, truth, options.images());
    Ok(match options.get(IMAGES_TO_USE.name)? {
        Some(count) => chair.with_sample(ImageSample { count, seed: options.seed }),
        None => chair,
    })
}

/// A random sample of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSample {
    /// The number of images.
    pub count: usize,
    /// The seed.
    pub seed: u64,
}

/// CHAIR as a suite: asks for a caption of every image, and scores captions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chair {
    vocabulary: Vocabulary,
    truth: GroundTruth,
    images: PathBuf,
    prompt: String,
}

impl Chair {
    /// Captions of all images of the ground truth, whose files are in the folder `images`.
    #[must_use]
    pub fn new(vocabulary: Vocabulary, truth: GroundTruth, images: impl Into<PathBuf>) -> Self {
        Self { vocabulary, truth, images: images.into(), prompt: PROMPT.to_owned() }
    }

    /// Sets the prompt; the default is [`PROMPT`].
    #[must_use]
    pub fn with_prompt(self, prompt: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), ..self }
    }

    /// Keeps only the images for which `keep` returns true, for example those that have a caption.
    #[must_use]
    pub fn with_images(mut self, keep: impl FnMut(&str) -> bool) -> Self {
        self.truth.retain(keep);
        self
    }

    /// Keeps only a random sample of the images. The published numbers are for 500 images of COCO's validation set.
    #[must_use]
    pub fn with_sample(mut self, sample: ImageSample) -> Self {
        let len = self.truth.len() as u64;
        let order = EpochOrder { seed: sample.seed, len };
        let mut drawn: Vec<u64> =
            (0..len.min(sample.count as u64)).map(|at| order.item(at)).collect();
        drawn.sort_unstable();
        let mut position = 0..;
        self.truth.retain(|_| position.next().is_some_and(|at| drawn.binary_search(&at).is_ok()));
        self
    }

    /// Scores captions by the file names of their images.
    ///
    /// A missing caption counts as wrong, and mentions none of the image's objects.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`](crate::Error::UnknownQuestion) if a caption belongs to none of the images. Most likely it
    /// is from another data set.
    pub fn score(&self, captions: &HashMap<String, String>) -> Result<Score> {
        let is_known = |id: &str| self.truth.objects(id).is_some();
        check_known(captions.keys(), is_known, "a file_name of the instances")?;
        let scores = self.truth.images().map(|(image, objects)| CaptionScore {
            id: image.to_owned(),
            image: self.images.join(image),
            caption: captions.get(image).cloned(),
            mentions: self.mentions(captions.get(image).map_or("", String::as_str), image),
            objects: objects.clone(),
        });
        Ok(Score { prompt: self.prompt.clone(), captions: scores.collect() })
    }

    fn mentions(&self, caption: &str, image: &str) -> Vec<ScoredMention> {
        let objects = self.truth.objects(image);
        let scored = |mention: Mention<'_>| ScoredMention {
            is_present: objects.is_some_and(|objects| objects.contains(mention.object)),
            object: mention.object.to_owned(),
            word: mention.word,
        };
        self.vocabulary.mentions(caption).into_iter().map(scored).collect()
    }
}

impl Suite for Chair {
    /// One query for each image. The id is the image's file name.
    fn queries(&self) -> Vec<Query> {
        let query = |image: &str| Query {
            id: image.to_owned(),
            image: QueryImage::File(self.images.join(image)),
            prompt: self.prompt.clone(),
            mode: AnswerMode::Generate,
        };
        self.truth.images().map(|(image, _)| query(image)).collect()
    }

    /// Reads captions as this crate writes answers, or as COCO's result files have them: `image_id` and `caption`. An
    /// `image_id` that is a number stands for the image whose file name ends in this number, as COCO's file names do.
    fn read_answers(&self, path: &Path) -> Result<Answers> {
        const KEYS: AnswerKeys = AnswerKeys {
            ids: &["id", "question_id", "image_id", "image", "file_name"],
            texts: &["text", "answer", "caption"],
        };
        let answers = Answers::read_with(path, &KEYS)?;
        let images = self.truth.images().map(|(image, _)| image);
        let numbers: HashMap<u64, &str> =
            images.filter_map(|image| Some((last_number(image)?, image))).collect();
        let file_name = |id: String| {
            if self.truth.objects(&id).is_some() {
                return id;
            }
            let image = id.parse().ok().and_then(|number: u64| numbers.get(&number));
            image.map_or(id, |&image| image.to_owned())
        };
        let texts = answers.texts.into_iter().map(|(id, text)| (file_name(id), text)).collect();
        Ok(Answers { texts, ..answers })
    }

    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        Ok(self.score(answers)?.findings())
    }
}

/// The number that a file name ends in, such as 42 in `COCO_val2014_000000000042.jpg`.
fn last_number(image: &str) -> Option<u64> {
    let stem = Path::new(image).file_stem()?.to_str()?;
    stem.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests;
