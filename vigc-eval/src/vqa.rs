//! Questions with short answers: VQAv2, OKVQA and A-OKVQA, scored by the rules of the upstream programs.
//!
//! Goyal et al., 2017 (VQAv2); Marino et al., 2019 (OKVQA); Schwenk et al., 2022 (A-OKVQA).
//!
//! | data set | files | rules, the suite's own first |
//! |---|---|---|
//! | VQAv2, OKVQA | [`Vqa::open_vqav2`]: questions and annotations as published; [`Vqa::open_rows`]: the rows of the VIGC upstream | [`Rule::Vqa`], [`Rule::Lavis`], [`Rule::Vigc`] |
//! | A-OKVQA, direct answers | [`Vqa::open_aokvqa_direct`] | [`Rule::AokvqaDirect`], [`Rule::Vigc`] |
//! | A-OKVQA, multiple choice | [`Vqa::open_aokvqa_choice`] | [`Rule::AokvqaChoice`] |

mod accuracy;
pub mod normalize;
mod question;
mod score;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};
use vigc_core::files::write_atomic;
use vigc_pipeline::data::DataError;
use vigc_pipeline::prompt::TextProcessor;
use vigc_pipeline::prompt::templates::{SHORT_ANSWER, Template};

pub use accuracy::Rule;
pub use question::Question;
pub use score::{Score, ScoredAnswer};

use self::question::{read_aokvqa, read_published, read_rows};
use crate::answers::{AnswerMode, Query, QueryImage};
use crate::error::{Error, Result};
use crate::report::Findings;
use crate::suite::{Suite, SuiteKind, SuiteOption, SuiteOptions, check_complete, check_known};

/// The default image name.
const IMAGE_NAME: &str = "COCO_val2014_{}.jpg";

const OPTIONS: &[SuiteOption] = &[SuiteOption {
    name: "image-name",
    value: "NAME",
    about: "the names of the images, with {} for twelve digits [default: COCO_val2014_{}.jpg]",
}];

/// The suite `vqav2`.
pub const VQAV2: SuiteKind = SuiteKind {
    name: "vqav2",
    about: "VQAv2; questions and annotations: the published files, or only questions: rows with `answer`",
    options: OPTIONS,
    open: open_vqa,
};

/// The suite `okvqa`.
pub const OKVQA: SuiteKind = SuiteKind {
    name: "okvqa",
    about: "OKVQA; files as for vqav2",
    options: OPTIONS,
    open: open_vqa,
};

/// The suite `aokvqa`.
pub const AOKVQA: SuiteKind = SuiteKind {
    name: "aokvqa",
    about: "A-OKVQA, direct answers; questions: the published file",
    options: &[],
    open: |options| Ok(Box::new(Vqa::open_aokvqa_direct(options.questions()?, options.images())?)),
};

/// The suite `aokvqa-choice`.
pub const AOKVQA_CHOICE: SuiteKind = SuiteKind {
    name: "aokvqa-choice",
    about: "A-OKVQA, the most likely choice; questions: the published file",
    options: &[],
    open: |options| Ok(Box::new(Vqa::open_aokvqa_choice(options.questions()?, options.images())?)),
};

fn open_vqa(options: &SuiteOptions) -> Result<Box<dyn Suite>> {
    let (questions, images) = (options.questions()?.to_owned(), options.images());
    if options.annotations.is_none() {
        return Ok(Box::new(Vqa::open_rows(questions, images)?));
    }
    let image_name = options.get("image-name")?.unwrap_or_else(|| IMAGE_NAME.to_owned());
    let annotations = options.annotations.clone();
    Ok(Box::new(Vqa::open_vqav2(&VqaFiles { questions, annotations, image_name, images })?))
}

/// The files of VQAv2 or OKVQA as they are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VqaFiles {
    /// The file of questions.
    pub questions: PathBuf,
    /// The file of annotations; none for a split whose answers are secret.
    pub annotations: Option<PathBuf>,
    /// The names of the images, with `{}` for twelve digits, such as `COCO_val2014_{}.jpg`.
    pub image_name: String,
    /// The folder of the images.
    pub images: PathBuf,
}

/// How questions are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Freely, compared as in VQA.
    Vqa,
    /// Freely, compared as in A-OKVQA.
    AokvqaDirect,
    /// With one of the choices.
    AokvqaChoice,
}

impl Task {
    /// The rules of comparison, the suite's own first.
    fn rules(self) -> &'static [Rule] {
        match self {
            Self::Vqa => &[Rule::Vqa, Rule::Lavis, Rule::Vigc],
            Self::AokvqaDirect => &[Rule::AokvqaDirect, Rule::Vigc],
            Self::AokvqaChoice => &[Rule::AokvqaChoice],
        }
    }
}

/// VQAv2, OKVQA or A-OKVQA as a suite.
///
/// The prompt is that of the VIGC upstream (`vic_eval.py`), `Question: {q} Short answer:`, for multiple choice as well. There
/// the most likely choice counts (`predict_by_rank`), and the prompt does not list the choices.
#[derive(Debug, Clone)]
pub struct Vqa {
    path: PathBuf,
    questions: Vec<Question>,
    images: PathBuf,
    task: Task,
    template: Template,
    text_processor: TextProcessor,
}

impl Vqa {
    /// VQAv2 or OKVQA as published.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] naming file, row and key, [`Error::QuestionTwice`] if two questions have the same id.
    pub fn open_vqav2(files: &VqaFiles) -> Result<Self> {
        let annotations = files.annotations.as_deref();
        let questions = read_published(&files.questions, annotations, &files.image_name)?;
        Ok(Self::new(&files.questions, questions, &files.images, Task::Vqa))
    }

    /// OKVQA or VQAv2 as the VIGC upstream keeps them, `{image, question, answer: [..]}`, and the folder of the images.
    ///
    /// # Errors
    ///
    /// As [`open_vqav2`](Self::open_vqav2).
    pub fn open_rows(path: impl AsRef<Path>, images: impl Into<PathBuf>) -> Result<Self> {
        let path = path.as_ref();
        Ok(Self::new(path, read_rows(path)?, images, Task::Vqa))
    }

    /// A-OKVQA with direct answers, and the folder of the images.
    ///
    /// # Errors
    ///
    /// As [`open_vqav2`](Self::open_vqav2).
    pub fn open_aokvqa_direct(path: impl AsRef<Path>, images: impl Into<PathBuf>) -> Result<Self> {
        let path = path.as_ref();
        Ok(Self::new(path, read_aokvqa(path)?, images, Task::AokvqaDirect))
    }

    /// A-OKVQA with multiple choice, and the folder of the images.
    ///
    /// # Errors
    ///
    /// As [`open_vqav2`](Self::open_vqav2), also if a question has no choices.
    pub fn open_aokvqa_choice(path: impl AsRef<Path>, images: impl Into<PathBuf>) -> Result<Self> {
        let path = path.as_ref();
        let questions = read_aokvqa(path)?;
        match questions.iter().position(|question| question.choices.is_empty()) {
            None => Ok(Self::new(path, questions, images, Task::AokvqaChoice)),
            Some(row) => Err(Error::Data(DataError::Row {
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

    /// Sets the prompt.
    #[must_use]
    pub fn with_template(self, template: Template) -> Self {
        Self { template, ..self }
    }

    /// Sets the processing of questions. The published checkpoints for OKVQA and A-OKVQA were evaluated with
    /// [`TextProcessor::BlipCaption`].
    #[must_use]
    pub fn with_text_processor(self, text_processor: TextProcessor) -> Self {
        Self { text_processor, ..self }
    }

    /// The questions, in the order of the file.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The rules by which answers are compared, the suite's own first.
    #[must_use]
    pub fn rules(&self) -> &'static [Rule] {
        self.task.rules()
    }

    /// Scores answers by the ids of their questions.
    ///
    /// A missing answer is wrong, and counted. Questions whose answers are secret are left out and counted, and so are
    /// A-OKVQA's difficult ones with direct answers.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`] if an answer belongs to no question. Most likely it is another split's.
    pub fn score(&self, answers: &HashMap<String, String>) -> Result<Score<'_>> {
        self.check(answers)?;
        let scored = |question| {
            let given = self.given(question)?;
            let answer = answers.get(&question.id).cloned();
            let right =
                |rule: &Rule| answer.as_ref().map_or(0.0, |answer| rule.accuracy(answer, &given));
            let accuracies = self.rules().iter().map(right).collect();
            Some(ScoredAnswer { question, given, answer, accuracies })
        };
        let scored: Vec<_> = self.questions.iter().filter_map(scored).collect();
        Ok(Score {
            rules: self.rules(),
            left_out: self.questions.len() - scored.len(),
            images: &self.images,
            is_choice: self.task == Task::AokvqaChoice,
            scored,
        })
    }

    /// The answers with which an answer is compared, if the question is scored.
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

    fn check(&self, answers: &HashMap<String, String>) -> Result<()> {
        let known: HashSet<&str> = self.questions.iter().map(|q| q.id.as_str()).collect();
        check_known(answers.keys(), |id| known.contains(id), "the id of a question of this split")
    }

    /// Refuses to write a submission without an answer to each question that needs one.
    fn check_complete(
        &self,
        answers: &HashMap<String, String>,
        is_needed: fn(&Question) -> bool,
    ) -> Result<()> {
        let needed = self.questions.iter().filter(|question| is_needed(question));
        let ids = needed.map(|question| question.id.as_str());
        check_complete(ids, answers, "a submission needs all answers")
    }

    /// Writes `[{"question_id": 1, "answer": "yes"}]` for VQAv2's server. OKVQA's program reads it as well.
    ///
    /// # Errors
    ///
    /// [`Error::MissingAnswers`] or [`Error::UnknownQuestion`] if the answers are not those to all questions,
    /// [`Error::NotANumber`] if an id is not a whole number, [`Error::Core`] if the file cannot be written.
    pub fn write_vqav2(
        &self,
        answers: &HashMap<String, String>,
        path: impl AsRef<Path>,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            question_id: u64,
            answer: &'a str,
        }
        self.check(answers)?;
        self.check_complete(answers, |_| true)?;
        let rows = self.questions.iter().filter_map(|question| {
            let answer = answers.get(&question.id)?;
            let not_a_number =
                |_| Error::NotANumber { path: self.path.clone(), id: question.id.clone() };
            let id = question.id.parse().map_err(not_a_number);
            Some(id.map(|question_id| Row { question_id, answer }))
        });
        write(path.as_ref(), &rows.collect::<Result<Vec<_>>>()?)
    }

    /// Writes `{"id": {"multiple_choice": "cab", "direct_answer": "taxi"}}` for A-OKVQA's leaderboard, which also takes
    /// files with one of the two.
    ///
    /// Difficult questions need no direct answer.
    ///
    /// # Errors
    ///
    /// [`Error::MissingAnswers`] or [`Error::UnknownQuestion`] if the answers are not those to all questions,
    /// [`Error::NotAChoice`] if one is none of the choices, [`Error::Core`] if the file cannot be written.
    pub fn write_aokvqa(&self, answers: AokvqaAnswers<'_>, path: impl AsRef<Path>) -> Result<()> {
        let AokvqaAnswers { choices, direct } = answers;
        if choices.is_none() && direct.is_none() {
            self.check_complete(&HashMap::new(), |_| true)?;
        }
        if let Some(choices) = choices {
            self.check(choices)?;
            self.check_complete(choices, |_| true)?;
            self.questions.iter().try_for_each(|question| check_choice(question, choices))?;
        }
        if let Some(direct) = direct {
            self.check(direct)?;
            self.check_complete(direct, |question| !question.difficult)?;
        }
        let mut file = Map::new();
        for question in &self.questions {
            let mut answers = Map::new();
            for (key, given) in [("multiple_choice", choices), ("direct_answer", direct)] {
                if let Some(answer) = given.and_then(|given| given.get(&question.id)) {
                    answers.insert(key.to_owned(), json!(answer));
                }
            }
            file.insert(question.id.clone(), Value::Object(answers));
        }
        write(path.as_ref(), &file)
    }
}

/// Answers to A-OKVQA by the ids of their questions, of one kind or both.
#[derive(Debug, Clone, Copy, Default)]
pub struct AokvqaAnswers<'a> {
    /// Multiple-choice answers.
    pub choices: Option<&'a HashMap<String, String>>,
    /// Direct answers.
    pub direct: Option<&'a HashMap<String, String>>,
}

impl Suite for Vqa {
    /// All questions, also those that are not scored.
    fn queries(&self) -> Vec<Query> {
        let mode = |question: &Question| match self.task {
            Task::Vqa | Task::AokvqaDirect => AnswerMode::Generate,
            Task::AokvqaChoice => AnswerMode::Choose(question.choices.clone()),
        };
        let query = |question: &Question| Query {
            id: question.id.clone(),
            image: QueryImage::File(self.images.join(&question.image)),
            prompt: self.template.fill(&self.text_processor.apply(&question.question)),
            mode: mode(question),
        };
        self.questions.iter().map(query).collect()
    }

    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        Ok(self.score(answers)?.findings())
    }

    /// As [`Vqa::write_vqav2`] or [`Vqa::write_aokvqa`].
    fn write_submission(&self, answers: &HashMap<String, String>, path: &Path) -> Result<()> {
        match self.task {
            Task::Vqa => self.write_vqav2(answers, path),
            Task::AokvqaDirect => {
                self.write_aokvqa(AokvqaAnswers { direct: Some(answers), choices: None }, path)
            }
            Task::AokvqaChoice => {
                self.write_aokvqa(AokvqaAnswers { choices: Some(answers), direct: None }, path)
            }
        }
    }
}

fn check_choice(question: &Question, answers: &HashMap<String, String>) -> Result<()> {
    match answers.get(&question.id) {
        Some(answer) if !question.choices.contains(answer) => Err(Error::NotAChoice {
            id: question.id.clone(),
            answer: answer.clone(),
            choices: question.choices.clone(),
        }),
        _ => Ok(()),
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let bytes = serde_json::to_vec(value)
        .map_err(|source| vigc_core::Error::Json { path: path.to_owned(), source })?;
    Ok(write_atomic(path, &bytes)?)
}
