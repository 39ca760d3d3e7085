//! What every benchmark has in common: queries, an evaluation of the answers, and files.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use vigc_core::progress::Progress;
use vigc_pipeline::vigc::VisualLm;

use crate::answers::{AnswerJournal, Answers, Query, QueryRunner};
use crate::error::{Error, Result};
use crate::report::Findings;

/// A benchmark with its files read: what to ask, and what the answers are worth.
///
/// Only [`queries`](Self::queries) and [`evaluate`](Self::evaluate) have to be implemented. The module documentation of
/// the crate shows how to add a suite.
pub trait Suite: fmt::Debug {
    /// The questions to ask.
    fn queries(&self) -> Vec<Query>;

    /// The questions that follow from the answers to [`queries`](Self::queries); none for most suites.
    ///
    /// # Errors
    ///
    /// [`Error::MissingAnswers`] if the questions depend on an answer that is missing.
    fn follow_ups(&self, _answers: &HashMap<String, String>) -> Result<Vec<Query>> {
        Ok(Vec::new())
    }

    /// Reads answers in the formats that are common for the benchmark. The default is [`Answers::read`].
    ///
    /// # Errors
    ///
    /// As [`Answers::read_with`].
    fn read_answers(&self, path: &Path) -> Result<Answers> {
        Answers::read(path)
    }

    /// Scores answers by the ids of their queries, and shows what was found.
    ///
    /// A missing answer counts as wrong unless the suite says otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`] if an answer belongs to no question, and the errors of the suite.
    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings>;

    /// Writes the file that the benchmark's server scores.
    ///
    /// # Errors
    ///
    /// [`Error::NoSubmission`] if there is no such server, [`Error::MissingAnswers`] if an answer is missing, and
    /// [`Error::Core`] if the file cannot be written.
    fn write_submission(&self, _answers: &HashMap<String, String>, _path: &Path) -> Result<()> {
        Err(Error::NoSubmission)
    }
}

/// Asks a model everything that a suite asks, follow-up questions included.
///
/// `progress` receives the number of queries that are done and the number of all that are known so far.
///
/// # Errors
///
/// As [`QueryRunner::run`] and [`Suite::follow_ups`].
pub fn ask<M: VisualLm + ?Sized>(
    suite: &dyn Suite,
    runner: &QueryRunner<'_, M>,
    journal: &mut AnswerJournal,
    progress: &Progress,
) -> Result<Answers> {
    let queries = suite.queries();
    let mut answers = runner.run(&queries, journal, progress)?;
    let more = suite.follow_ups(&answers.texts)?;
    if !more.is_empty() {
        let (first, all) = (queries.len() as u64, progress.clone());
        let progress = Progress::new(move |update| {
            all.report(update.task, first + update.done, first + update.total);
        });
        let more = runner.run(&more, journal, &progress)?;
        answers.texts.extend(more.texts);
        answers.failures.extend(more.failures);
    }
    Ok(answers)
}

/// A kind of suite: its name, and how it is opened. The [`Registry`](crate::Registry) lists them.
#[derive(Debug, Clone, Copy)]
pub struct SuiteKind {
    /// The name, such as `okvqa`.
    pub name: &'static str,
    /// What it measures and which files it needs, in one line.
    pub about: &'static str,
    /// The options that only some suites have.
    pub options: &'static [SuiteOption],
    /// Reads the files.
    pub open: fn(&SuiteOptions) -> Result<Box<dyn Suite>>,
}

/// An option of a suite besides the fields of [`SuiteOptions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuiteOption {
    /// The name, in lower case with hyphens.
    pub name: &'static str,
    /// A placeholder for the value, such as `FILE`.
    pub value: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
}

/// The option of suites that can be limited to some of their images.
pub(crate) const IMAGES_TO_USE: SuiteOption = SuiteOption {
    name: "pictures",
    value: "N",
    about: "ask about this many images, drawn by the seed [default: all, or 500 for questions made from annotations]",
};

/// The files and settings with which a suite is opened.
///
/// ```
/// use vigc_eval::SuiteOptions;
///
/// let mut options = SuiteOptions { images: Some("coco/val2014".into()), ..SuiteOptions::default() };
/// options.set("pictures", "500");
/// assert_eq!(options.get::<usize>("pictures")?, Some(500));
/// # Ok::<(), vigc_eval::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct SuiteOptions {
    /// The questions.
    pub questions: Option<PathBuf>,
    /// The annotations, if they are in a file of their own.
    pub annotations: Option<PathBuf>,
    /// The folder of the images.
    pub images: Option<PathBuf>,
    /// The seed of everything that the suite draws.
    pub seed: u64,
    /// The number of queries that will be asked together, if it is known. A suite can order its queries accordingly.
    pub batch: Option<usize>,
    /// Is told how far a slow evaluation is, such as one that asks a judge.
    pub progress: Progress,
    /// The options that only some suites have, by name; see [`SuiteKind::options`].
    pub values: BTreeMap<String, String>,
}

impl SuiteOptions {
    /// Sets an option by its name. Opening the suite fails if it has no such option.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    /// The value of an option, if it is set.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if it is not a `T`.
    pub fn get<T: FromStr<Err: fmt::Display>>(&self, option: &'static str) -> Result<Option<T>> {
        let parse = |found: &String| {
            found.parse().map_err(|error: T::Err| Error::Option {
                option,
                found: found.clone(),
                reason: error.to_string(),
            })
        };
        self.values.get(option).map(parse).transpose()
    }

    /// The file of questions.
    ///
    /// # Errors
    ///
    /// [`Error::MissingOption`] if it is not set.
    pub fn questions(&self) -> Result<&Path> {
        let missing = || Error::MissingOption {
            option: "questions",
            expected: "the file or folder of the benchmark's questions",
        };
        self.questions.as_deref().ok_or_else(missing)
    }

    /// The file of annotations.
    ///
    /// # Errors
    ///
    /// [`Error::MissingOption`] if it is not set.
    pub fn annotations(&self) -> Result<&Path> {
        let missing = || Error::MissingOption {
            option: "annotations",
            expected: "a file of annotations, such as COCO's instances_val2014.json",
        };
        self.annotations.as_deref().ok_or_else(missing)
    }

    /// The folder of the images; the working directory if it is not set.
    #[must_use]
    pub fn images(&self) -> PathBuf {
        self.images.clone().unwrap_or_default()
    }
}

/// Refuses answers that belong to no question.
pub(crate) fn check_known<'a>(
    ids: impl Iterator<Item = &'a String>,
    is_known: impl Fn(&str) -> bool,
    expected: &'static str,
) -> Result<()> {
    let mut unknown: Vec<&String> = ids.filter(|id| !is_known(id)).collect();
    unknown.sort_unstable();
    match unknown.first() {
        None => Ok(()),
        Some(&first) => {
            Err(Error::UnknownQuestion { count: unknown.len(), id: first.clone(), expected })
        }
    }
}

/// Refuses to go on without an answer to every question.
pub(crate) fn check_complete<'a>(
    ids: impl Iterator<Item = &'a str> + Clone,
    answers: &HashMap<String, String>,
    needed_for: &'static str,
) -> Result<()> {
    let mut missing = ids.clone().filter(|id| !answers.contains_key(*id));
    match missing.next() {
        None => Ok(()),
        Some(first) => Err(Error::MissingAnswers {
            count: 1 + missing.count(),
            total: ids.count(),
            id: first.to_owned(),
            needed_for,
        }),
    }
}
