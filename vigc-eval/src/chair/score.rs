//! The measures, from the objects that each caption mentions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::interval::{Bootstrap, Estimate, ratio, wilson};
use crate::report::{Cell, Findings, MAX_SAMPLES, Metric, Sample, SampleImage, Table, TableRow};

/// An object that a caption mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredMention {
    /// The word.
    pub word: String,
    /// The object.
    pub object: String,
    /// Whether the object is in the image. If not, it is hallucinated.
    pub is_present: bool,
}

/// The mentions of a caption, and the objects in its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionScore {
    /// The image's file name.
    pub id: String,
    /// The image's path.
    pub image: PathBuf,
    /// The caption; none if the model wrote none.
    pub caption: Option<String>,
    /// All mentions of objects, repeated ones included.
    pub mentions: Vec<ScoredMention>,
    /// The objects in the image.
    pub objects: BTreeSet<String>,
}

impl CaptionScore {
    /// The mentions of objects that are not in the image.
    pub fn hallucinated(&self) -> impl Iterator<Item = &ScoredMention> {
        self.mentions.iter().filter(|mention| !mention.is_present)
    }

    /// Whether the caption is missing or mentions an object that is not in the image.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.caption.is_none() || self.hallucinated().next().is_some()
    }

    /// `CHAIRi` of this caption alone: the hallucinated share of its mentions, 0 if it has none.
    #[must_use]
    pub fn chair_i(&self) -> f64 {
        ratio(self.hallucinated().count() as f64, self.mentions.len() as f64).unwrap_or(0.0)
    }

    /// The objects of the image that the caption mentions.
    #[must_use]
    pub fn found(&self) -> BTreeSet<&str> {
        let present = self.mentions.iter().filter(|mention| mention.is_present);
        present.map(|mention| mention.object.as_str()).collect()
    }

    /// The share of the image's objects that the caption mentions, 0 if there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.found().len() as f64, self.objects.len() as f64).unwrap_or(0.0)
    }

    /// The share of the mentions that are right; 0 if the caption is missing.
    fn quality(&self) -> f64 {
        if self.caption.is_some() { 1.0 - self.chair_i() } else { 0.0 }
    }
}

/// CHAIR of a set of captions. Intervals are over images.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The prompt that asked for the captions.
    pub prompt: String,
    /// The captions, sorted by the file names of their images.
    pub captions: Vec<CaptionScore>,
}

impl Score {
    /// `CHAIRs`: the share of captions that mention an object that is not in the image. A missing caption counts as one
    /// of them.
    #[must_use]
    pub fn chair_s(&self) -> Estimate {
        let wrong = self.captions.iter().filter(|caption| caption.is_wrong()).count();
        wilson(wrong, self.captions.len())
    }

    /// `CHAIRi`: the share of all mentions whose object is not in the image.
    #[must_use]
    pub fn chair_i(&self) -> Estimate {
        self.over_images(|caption| [caption.hallucinated().count(), caption.mentions.len()])
    }

    /// The share of all objects in the images that the captions mention.
    #[must_use]
    pub fn recall(&self) -> Estimate {
        self.over_images(|caption| [caption.found().len(), caption.objects.len()])
    }

    /// The mean number of mentions in a caption. Captions with fewer mentions have fewer hallucinations.
    #[must_use]
    pub fn mentions_per_caption(&self) -> Estimate {
        self.over_images(|caption| [caption.mentions.len(), usize::from(caption.caption.is_some())])
    }

    /// The mean number of words in a caption, separated by white space.
    #[must_use]
    pub fn words_per_caption(&self) -> Estimate {
        self.over_images(|caption| match &caption.caption {
            Some(text) => [text.split_whitespace().count(), 1],
            None => [0, 0],
        })
    }

    /// The number of missing captions.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.captions.iter().filter(|caption| caption.caption.is_none()).count()
    }

    fn over_images(&self, counts: impl Fn(&CaptionScore) -> [usize; 2]) -> Estimate {
        let images: Vec<[f64; 2]> =
            self.captions.iter().map(|caption| counts(caption).map(|count| count as f64)).collect();
        Bootstrap::default().estimate(&images, |[part, whole]| ratio(part, whole))
    }

    /// The measures, a table by object, and the worst captions.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let metrics = vec![
            Metric::share("CHAIRs", self.chair_s()),
            Metric::share("CHAIRi", self.chair_i()),
            Metric::share("recall", self.recall()),
            Metric::score("objects per caption", self.mentions_per_caption()),
            Metric::score("words per caption", self.words_per_caption()),
            Metric::count("missing captions", self.missing()),
        ];
        Findings { metrics, tables: vec![self.by_object()], samples: self.worst(), details: None }
    }

    /// All objects, those that are hallucinated most often first.
    fn by_object(&self) -> Table {
        let mut objects: BTreeMap<&str, ObjectCounts> = BTreeMap::new();
        for caption in &self.captions {
            for ScoredMention { object, is_present, .. } in &caption.mentions {
                let counts = objects.entry(object).or_default();
                counts.mentions += 1;
                counts.hallucinated += usize::from(!is_present);
            }
            for object in &caption.objects {
                objects.entry(object).or_default().images += 1;
            }
            for object in caption.found() {
                objects.entry(object).or_default().found += 1;
            }
        }
        let mut objects: Vec<(&str, ObjectCounts)> = objects.into_iter().collect();
        objects.sort_by_key(|(_, counts)| Reverse(counts.hallucinated));
        let columns = ["mentions", "hallucinated", "CHAIRi", "images with it", "recall"];
        Table::new(
            "By object",
            columns,
            objects.into_iter().map(|(object, counts)| counts.row(object)),
        )
    }

    fn worst(&self) -> Vec<Sample> {
        let mut wrong: Vec<&CaptionScore> =
            self.captions.iter().filter(|caption| caption.is_wrong()).collect();
        wrong.sort_by(|one, other| {
            let most = other.hallucinated().count().cmp(&one.hallucinated().count());
            one.quality().total_cmp(&other.quality()).then(most)
        });
        wrong.into_iter().take(MAX_SAMPLES).map(|caption| self.sample(caption)).collect()
    }

    fn sample(&self, caption: &CaptionScore) -> Sample {
        let list = |words: Vec<&str>| words.join(", ");
        let note = match &caption.caption {
            None => "no caption".to_owned(),
            Some(_) => {
                let words = caption.hallucinated().map(|mention| mention.word.as_str()).collect();
                format!("not in the image: {}", list(words))
            }
        };
        Sample {
            id: caption.id.clone(),
            image: Some(SampleImage::File(caption.image.clone())),
            question: self.prompt.clone(),
            expected: list(caption.objects.iter().map(String::as_str).collect()),
            answer: caption.caption.clone().unwrap_or_default(),
            score: caption.quality(),
            note,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct ObjectCounts {
    mentions: usize,
    hallucinated: usize,
    images: usize,
    found: usize,
}

impl ObjectCounts {
    fn row(self, object: &str) -> TableRow {
        TableRow::new(
            object,
            [
                Cell::count(self.mentions),
                Cell::count(self.hallucinated),
                Cell::share(wilson(self.hallucinated, self.mentions)),
                Cell::count(self.images),
                Cell::share(wilson(self.found, self.images)),
            ],
        )
    }
}
