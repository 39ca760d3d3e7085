//! The measures, from what each caption names.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::interval::{Bootstrap, Estimate, ratio, wilson};

/// An object that a caption names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The word.
    pub word: String,
    /// The object.
    pub object: String,
    /// Whether it is in the picture; if not, it is hallucinated.
    pub is_there: bool,
}

/// What a caption names and what there is to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionScore {
    /// The picture's name.
    pub id: String,
    /// The picture's file.
    pub image: PathBuf,
    /// The caption; none if the model gave none.
    pub caption: Option<String>,
    /// The objects that the caption names, each as often as it does.
    pub named: Vec<Named>,
    /// The objects in the picture.
    pub objects: BTreeSet<String>,
}

impl CaptionScore {
    /// The named objects that are not in the picture.
    pub fn hallucinated(&self) -> impl Iterator<Item = &Named> {
        self.named.iter().filter(|named| !named.is_there)
    }

    /// Whether the caption names something that is not there, or is missing.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.caption.is_none() || self.hallucinated().next().is_some()
    }

    /// `CHAIRi` of this caption alone: the hallucinated part of the objects that it names, 0 if it names none.
    #[must_use]
    pub fn chair_i(&self) -> f64 {
        ratio(self.hallucinated().count() as f64, self.named.len() as f64).unwrap_or(0.0)
    }

    /// The objects of the picture that the caption names.
    #[must_use]
    pub fn found(&self) -> BTreeSet<&str> {
        let there = self.named.iter().filter(|named| named.is_there);
        there.map(|named| named.object.as_str()).collect()
    }

    /// The part of the picture's objects that the caption names, 0 if there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.found().len() as f64, self.objects.len() as f64).unwrap_or(0.0)
    }
}

/// What CHAIR found. Intervals resample pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// What was asked.
    pub prompt: String,
    /// The captions, in the order of the pictures' names.
    pub captions: Vec<CaptionScore>,
}

impl Score {
    /// `CHAIRs`: the part of the captions that name something that is not there. A missing caption is one of
    /// them.
    #[must_use]
    pub fn chair_s(&self) -> Estimate {
        let wrong = self.captions.iter().filter(|caption| caption.is_wrong()).count();
        wilson(wrong, self.captions.len())
    }

    /// `CHAIRi`: the hallucinated part of all objects that captions name.
    #[must_use]
    pub fn chair_i(&self) -> Estimate {
        self.over_pictures(|caption| [caption.hallucinated().count(), caption.named.len()])
    }

    /// The part of all pictures' objects that their captions name.
    #[must_use]
    pub fn recall(&self) -> Estimate {
        self.over_pictures(|caption| [caption.found().len(), caption.objects.len()])
    }

    /// Objects that a caption names, on average: who names less errs less.
    #[must_use]
    pub fn objects_per_caption(&self) -> Estimate {
        self.over_pictures(|caption| [caption.named.len(), usize::from(caption.caption.is_some())])
    }

    /// Words of a caption, on average, as blanks part them.
    #[must_use]
    pub fn words_per_caption(&self) -> Estimate {
        self.over_pictures(|caption| match &caption.caption {
            Some(text) => [text.split_whitespace().count(), 1],
            None => [0, 0],
        })
    }

    /// How many captions are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.captions.iter().filter(|caption| caption.caption.is_none()).count()
    }

    fn over_pictures(&self, counts: impl Fn(&CaptionScore) -> [usize; 2]) -> Estimate {
        let pictures: Vec<[f64; 2]> =
            self.captions.iter().map(|caption| counts(caption).map(|count| count as f64)).collect();
        Bootstrap::default().estimate(&pictures, |[part, whole]| ratio(part, whole))
    }
}
