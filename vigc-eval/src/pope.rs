//! POPE: whether a model says that objects are in a picture when they are, and when they are not.
//!
//! Li et al., "Evaluating Object Hallucination in Large Vision-Language Models", 2023; `main.py`, `utils.py` and
//! `evaluate.py` of AoiDragon/POPE (RUCAIBox/POPE). What is not there is drawn at random, from what most pictures
//! show, or from what most often stands beside something that is there.
//!
//! | what | where |
//! |---|---|
//! | questions from annotations | [`Build`], [`Candidates`], [`open_pictures`], [`pictures_of_instances`] |
//! | published questions | [`open_questions`], [`write_questions`] |
//! | answers | [`parse()`], [`Score`] |

mod build;
mod candidates;
mod error;
mod parse;
mod pictures;
mod questions;
mod report;
mod score;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use build::Build;
pub use candidates::{Candidates, Sampling};
pub use error::PopeError;
pub use parse::parse;
pub use pictures::{Picture, open_pictures, pictures_of_instances};
pub use questions::{Label, Question, open_questions, write_questions};
pub use score::{Answered, Confusion, Score, SetScore};

use super::answers::{Ask, AskImage, How};

/// Questions of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionSet {
    /// `random`, `popular` or `adversarial`, or another name.
    pub name: String,
    /// The questions.
    pub questions: Vec<Question>,
}

/// Questions to be asked and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pope {
    sets: Vec<QuestionSet>,
    images: PathBuf,
}

impl Pope {
    /// Asks these questions, in sets of different names; the pictures' files are in the folder `images`.
    #[must_use]
    pub fn new(sets: Vec<QuestionSet>, images: impl Into<PathBuf>) -> Self {
        Self { sets, images: images.into() }
    }

    /// Makes questions of all three kinds about some of the pictures.
    ///
    /// # Errors
    ///
    /// [`PopeError`] if too few pictures show enough objects, or the template is no question for an object.
    pub fn build(
        pictures: &[Picture],
        settings: &Build,
        images: impl Into<PathBuf>,
    ) -> Result<Self, PopeError> {
        let chosen = settings.choose(pictures)?;
        let set = |sampling: Sampling| {
            let questions = settings.questions(&chosen, sampling)?;
            Ok(QuestionSet { name: sampling.name().to_owned(), questions })
        };
        let sets = Sampling::ALL.into_iter().map(set).collect::<Result<_, PopeError>>()?;
        Ok(Self::new(sets, images))
    }

    /// The questions.
    #[must_use]
    pub fn sets(&self) -> &[QuestionSet] {
        &self.sets
    }

    /// What is to be asked: every question as it is. The ids are `random/1` and so on.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        let ask = |(id, question): (String, &Question)| Ask {
            id,
            image: AskImage::File(self.images.join(&question.image)),
            prompt: question.text.clone(),
            how: How::Write,
        };
        self.sets.iter().flat_map(QuestionSet::with_ids).map(ask).collect()
    }

    /// Judges answers, by the ids of [`asks`](Self::asks). A missing answer is wrong, and counted.
    ///
    /// # Errors
    ///
    /// [`PopeError::UnknownQuestion`] if an answer is to no question: most likely it belongs to another suite.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score, PopeError> {
        let known: HashSet<String> =
            self.sets.iter().flat_map(QuestionSet::with_ids).map(|(id, _)| id).collect();
        if let Some(id) = answers.keys().filter(|id| !known.contains(*id)).min() {
            return Err(PopeError::UnknownQuestion { id: id.clone() });
        }
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

impl QuestionSet {
    fn with_ids(&self) -> impl Iterator<Item = (String, &Question)> {
        let id = |question: &Question| format!("{}/{}", self.name, question.question_id);
        self.questions.iter().map(move |question| (id(question), question))
    }
}

#[cfg(test)]
mod tests;
