//! The questions of a data set: what to ask, and how the answers are scored.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::question::{read_aokvqa, read_published, read_reference};
use super::score::{Score, ScoredAnswer};
use super::{Question, Rule, VqaError};
use crate::answers::{Ask, AskImage, How};
use vigc_pipeline::data::DataError;
use vigc_pipeline::prompt::TextProcessor;
use vigc_pipeline::prompt::templates::{SHORT_ANSWER, Template};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// An answer of one's own, compared as VQA does.
    Vqa,
    /// An answer of one's own, compared as A-OKVQA does.
    AokvqaDirect,
    /// One of the choices.
    AokvqaChoice,
}

/// The questions of VQAv2, OKVQA or A-OKVQA.
///
/// They are asked as the reference does (`vic_eval.py`): `Question: {q} Short answer:`, with
/// multiple choice as well, where the likeliest choice counts (`predict_by_rank`) and is not named
/// in the prompt.
#[derive(Debug, Clone)]
pub struct VqaSuite {
    pub(super) path: PathBuf,
    pub(super) questions: Vec<Question>,
    images: PathBuf,
    task: Task,
    template: Template,
    text_processor: TextProcessor,
}

impl VqaSuite {
    /// VQAv2 or OKVQA: its file of questions, its file of annotations unless the split has none,
    /// and the folder of pictures, whose names are `image_name` with twelve digits for `{}`, such
    /// as `COCO_val2014_{}.jpg`.
    ///
    /// # Errors
    ///
    /// [`VqaError`] naming file, row and key.
    pub fn open_vqav2(
        questions: impl AsRef<Path>,
        annotations: Option<&Path>,
        image_name: &str,
        images: impl Into<PathBuf>,
    ) -> Result<Self, VqaError> {
        let path = questions.as_ref();
        Ok(Self::new(path, read_published(path, annotations, image_name)?, images, Task::Vqa))
    }

    /// OKVQA or VQAv2 as the reference keeps them, `{image, question, answer: [..]}`, and the
    /// folder that its pictures are in.
    ///
    /// # Errors
    ///
    /// [`VqaError`] naming file, row and key.
    pub fn open_rows(path: impl AsRef<Path>, images: impl Into<PathBuf>) -> Result<Self, VqaError> {
        let path = path.as_ref();
        Ok(Self::new(path, read_reference(path)?, images, Task::Vqa))
    }

    /// A-OKVQA, whose questions are answered freely, and the folder of its pictures.
    ///
    /// # Errors
    ///
    /// [`VqaError`] naming file, row and key.
    pub fn open_aokvqa_direct(
        path: impl AsRef<Path>,
        images: impl Into<PathBuf>,
    ) -> Result<Self, VqaError> {
        let path = path.as_ref();
        Ok(Self::new(path, read_aokvqa(path)?, images, Task::AokvqaDirect))
    }

    /// A-OKVQA, whose questions are answered by a choice, and the folder of its pictures.
    ///
    /// # Errors
    ///
    /// [`VqaError`] naming file, row and key; a row without choices is one.
    pub fn open_aokvqa_choice(
        path: impl AsRef<Path>,
        images: impl Into<PathBuf>,
    ) -> Result<Self, VqaError> {
        let path = path.as_ref();
        let questions = read_aokvqa(path)?;
        match questions.iter().position(|question| question.choices.is_empty()) {
            None => Ok(Self::new(path, questions, images, Task::AokvqaChoice)),
            Some(row) => Err(VqaError::Data(DataError::Row {
                path: path.to_owned(),
                row,
                key: "choices",
                found: "missing".to_owned(),
                expected: "a list of strings, not empty",
            })),
        }
    }

    fn new(path: &Path, questions: Vec<Question>, images: impl Into<PathBuf>, task: Task) -> Self {
        Self {
            path: path.to_owned(),
            questions,
            images: images.into(),
            task,
            template: SHORT_ANSWER,
            text_processor: TextProcessor::default(),
        }
    }

    /// Asks with another prompt.
    #[must_use]
    pub fn with_template(self, template: Template) -> Self {
        Self { template, ..self }
    }

    /// Asks questions that a text processor went over; the reference's checkpoints for OKVQA and
    /// A-OKVQA were evaluated with [`TextProcessor::BlipCaption`].
    #[must_use]
    pub fn with_text_processor(self, text_processor: TextProcessor) -> Self {
        Self { text_processor, ..self }
    }

    /// The questions, in the file's order.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// How answers are compared, the suite's own rule first.
    #[must_use]
    pub fn rules(&self) -> &'static [Rule] {
        match self.task {
            Task::Vqa => &[Rule::Vqa, Rule::Lavis, Rule::Reference],
            Task::AokvqaDirect => &[Rule::AokvqaDirect, Rule::Reference],
            Task::AokvqaChoice => &[Rule::AokvqaChoice],
        }
    }

    /// What to ask: all questions, also those that are not scored.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        let how = |question: &Question| match self.task {
            Task::Vqa | Task::AokvqaDirect => How::Write,
            Task::AokvqaChoice => How::Choose(question.choices.clone()),
        };
        let ask = |question: &Question| Ask {
            id: question.id.clone(),
            image: AskImage::File(self.image(question)),
            prompt: self.template.fill(&self.text_processor.apply(&question.question)),
            how: how(question),
        };
        self.questions.iter().map(ask).collect()
    }

    /// Scores answers, by the questions' names.
    ///
    /// A question without an answer is wrong, and counted. Questions whose answers are secret, and
    /// with direct answers A-OKVQA's difficult ones, are left out, and counted.
    ///
    /// # Errors
    ///
    /// [`VqaError::Unknown`] if there is an answer to another question: it would be to another
    /// split.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score<'_>, VqaError> {
        self.check_known(answers)?;
        let scored = |question| {
            let given = self.given(question)?;
            let answer = answers.get(&question.id).cloned();
            let right =
                |rule: &Rule| answer.as_ref().map_or(0.0, |answer| rule.accuracy(answer, &given));
            let accuracies = self.rules().iter().map(right).collect();
            Some(ScoredAnswer { question, given, answer, accuracies })
        };
        let scored: Vec<_> = self.questions.iter().filter_map(scored).collect();
        Ok(Score { suite: self, left_out: self.questions.len() - scored.len(), scored })
    }

    /// What answers to a question are compared with, if it is scored.
    fn given<'a>(&self, question: &'a Question) -> Option<Cow<'a, [(String, f64)]>> {
        match self.task {
            Task::Vqa | Task::AokvqaDirect => {
                let secret = question.answers.is_empty();
                let difficult = self.task == Task::AokvqaDirect && question.difficult;
                (!secret && !difficult).then(|| question.answers.as_slice().into())
            }
            Task::AokvqaChoice => {
                let right = question.choices.get(question.right?)?;
                Some(vec![(right.clone(), 1.0)].into())
            }
        }
    }

    pub(super) fn is_choice(&self) -> bool {
        self.task == Task::AokvqaChoice
    }

    pub(super) fn image(&self, question: &Question) -> PathBuf {
        self.images.join(&question.image)
    }

    pub(super) fn check_known(&self, answers: &HashMap<String, String>) -> Result<(), VqaError> {
        let known: HashSet<&str> = self.questions.iter().map(|q| q.id.as_str()).collect();
        let unknown = || answers.keys().filter(|id| !known.contains(id.as_str()));
        match unknown().min() {
            None => Ok(()),
            Some(first) => Err(VqaError::Unknown {
                path: self.path.clone(),
                count: unknown().count(),
                id: first.clone(),
            }),
        }
    }
}
