//! POPE: whether a model says that an object is in an image when it is, and when it is not.
//!
//! Li et al., "Evaluating Object Hallucination in Large Vision-Language Models", 2023; `main.py`, `utils.py` and
//! `evaluate.py` of AoiDragon/POPE (RUCAIBox/POPE). Absent objects are drawn at random, from the objects that most images
//! show, or from those that most often occur together with a present object.
//!
//! | what | where |
//! |---|---|
//! | questions from annotations | [`Build`], [`Candidates`], [`open_pictures`], [`pictures_of_instances`] |
//! | published questions | [`open_questions`], [`write_questions`] |
//! | the suite | [`Pope`] |
//! | answers | [`parse()`], [`Score`] |

mod build;
mod questions;
mod score;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use build::{Build, Candidates, Sampling};
pub use questions::{
    Label, Picture, Question, QuestionSet, open_pictures, open_questions, pictures_of_instances,
    write_questions,
};
pub use score::{Answered, Confusion, Score, SetScore, parse};

use crate::answers::{AnswerMode, Query, QueryImage};
use crate::error::Result;
use crate::report::Findings;
use crate::suite::{IMAGES_TO_USE, Suite, SuiteKind, SuiteOptions, check_known};

/// The suite `pope`.
pub const POPE: SuiteKind = SuiteKind {
    name: "pope",
    about: "questions whether an object is present; questions: a published file, or annotations: COCO's instances_*.json",
    options: &[IMAGES_TO_USE],
    open: |options| Ok(Box::new(open(options)?)),
};

/// The published questions, or questions made from annotations.
fn open(options: &SuiteOptions) -> Result<Pope> {
    if let Some(path) = &options.questions {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let set = QuestionSet { name, questions: open_questions(path)? };
        return Ok(Pope::new(vec![set], options.images()));
    }
    let pictures = pictures_of_instances(options.annotations()?)?;
    let mut build = Build { seed: options.seed, ..Build::default() };
    if let Some(pictures) = options.get(IMAGES_TO_USE.name)? {
        build.pictures = pictures;
    }
    Pope::build(&pictures, &build, options.images())
}

/// POPE as a suite: sets of questions about objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pope {
    sets: Vec<QuestionSet>,
    images: PathBuf,
}

impl Pope {
    /// Questions in sets of different names, about images in the folder `images`.
    #[must_use]
    pub fn new(sets: Vec<QuestionSet>, images: impl Into<PathBuf>) -> Self {
        Self { sets, images: images.into() }
    }

    /// Makes questions of all three kinds about some of the images.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewImages`](crate::Error::TooFewImages) if too few images show enough objects,
    /// [`Error::Template`](crate::Error::Template) if the template has no `{}`.
    pub fn build(
        pictures: &[Picture],
        settings: &Build,
        images: impl Into<PathBuf>,
    ) -> Result<Self> {
        let chosen = settings.choose(pictures)?;
        let set = |sampling: Sampling| {
            let questions = settings.questions(&chosen, sampling)?;
            Ok(QuestionSet { name: sampling.name().to_owned(), questions })
        };
        let sets = Sampling::ALL.into_iter().map(set).collect::<Result<_>>()?;
        Ok(Self::new(sets, images))
    }

    /// The questions.
    #[must_use]
    pub fn sets(&self) -> &[QuestionSet] {
        &self.sets
    }

    /// Scores answers by the ids of [`queries`](Suite::queries). A missing answer is wrong, and counted.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`](crate::Error::UnknownQuestion) if an answer belongs to no question. Most likely it is
    /// another suite's.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score> {
        let ids = self.sets.iter().flat_map(QuestionSet::with_ids).map(|(id, _)| id);
        let known: HashSet<String> = ids.collect();
        let expected = "the name of a set, a slash and a question_id";
        check_known(answers.keys(), |id| known.contains(id), expected)?;
        let answered = |(id, question): (String, &Question)| Answered {
            question: question.clone(),
            image: self.images.join(&question.image),
            answer: answers.get(&id).cloned(),
            said: answers.get(&id).map(|answer| parse(answer)),
            id,
        };
        let set = |set: &QuestionSet| SetScore {
            name: set.name.clone(),
            answers: set.with_ids().map(answered).collect(),
        };
        Ok(Score { sets: self.sets.iter().map(set).collect() })
    }
}

impl Suite for Pope {
    /// Every question as it is. The ids are `random/1` and so on.
    fn queries(&self) -> Vec<Query> {
        let query = |(id, question): (String, &Question)| Query {
            id,
            image: QueryImage::File(self.images.join(&question.image)),
            prompt: question.text.clone(),
            mode: AnswerMode::Generate,
        };
        self.sets.iter().flat_map(QuestionSet::with_ids).map(query).collect()
    }

    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        Ok(self.score(answers)?.findings())
    }
}

#[cfg(test)]
mod tests;
