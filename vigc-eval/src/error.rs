//! The errors of this crate.

use std::fmt;
use std::path::PathBuf;

use vigc_pipeline::data::DataError;

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a suite could not be opened, asked, scored or reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Core(#[from] vigc_core::Error),
    /// An annotation file could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model failed, or a record of answers was started with other settings.
    #[error(transparent)]
    Pipeline(#[from] vigc_pipeline::Error),
    /// The judge could not be asked.
    #[cfg(feature = "judge")]
    #[error(transparent)]
    Judge(#[from] crate::judge::JudgeError),

    /// No suite has this name.
    #[error("there is no suite {name:?}, expected one of {}", .known.join(", "))]
    UnknownSuite {
        /// The name.
        name: String,
        /// The names of all suites.
        known: Vec<&'static str>,
    },
    /// The suite does not have this option.
    #[error("the suite {suite} has no option {option:?}; its options are: {}", .known.join(", "))]
    UnknownOption {
        /// The suite.
        suite: &'static str,
        /// The option.
        option: String,
        /// The names of all options of the suite.
        known: Vec<&'static str>,
    },
    /// The suite needs an option that is not set.
    #[error("the suite needs the option {option}: {expected}")]
    MissingOption {
        /// The option.
        option: &'static str,
        /// What it stands for.
        expected: &'static str,
    },
    /// An option has a value that it cannot have.
    #[error("the option {option} is {found:?}: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        found: String,
        /// Why the value is not valid.
        reason: String,
    },

    /// Two queries of a suite have the same id.
    #[error("queries {first} and {second} have the same id {id:?}")]
    SameId {
        /// The id.
        id: String,
        /// The position of the first query, counted from 1.
        first: usize,
        /// The position of the second query.
        second: usize,
    },
    /// A query asks to choose from an empty list.
    #[error("query {id:?} has no candidates, expected at least one")]
    NoCandidates {
        /// The query.
        id: String,
    },
    /// The record holds an answer to another prompt.
    #[error("{path} has the answer to {id:?} for the prompt {recorded:?}, not for {prompt:?}")]
    OtherPrompt {
        /// The record.
        path: PathBuf,
        /// The query.
        id: String,
        /// The prompt on record.
        recorded: String,
        /// The prompt of the query.
        prompt: String,
    },

    /// A value in a file is missing or is not what was expected.
    #[error("{path}, {place}: {key} is {found}, expected {expected}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        place: Place,
        /// The key or the column.
        key: &'static str,
        /// What the file has there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A file answers a question twice.
    #[error("{path}, {first} and {second} both answer {id:?}")]
    AnsweredTwice {
        /// The file.
        path: PathBuf,
        /// The question.
        id: String,
        /// Where the first answer is.
        first: Place,
        /// Where the second answer is.
        second: Place,
    },
    /// Answers belong to no question of the suite. Most likely they are another suite's.
    #[error(
        "{count} of the answers belong to no question, the first to {id:?}; expected {expected}"
    )]
    UnknownQuestion {
        /// How many answers.
        count: usize,
        /// The first of their ids in alphabetical order.
        id: String,
        /// What ids look like.
        expected: &'static str,
    },
    /// Questions that need an answer have none.
    #[error("{count} of {total} questions have no answer, the first is {id:?}; {needed_for}")]
    MissingAnswers {
        /// How many answers are missing.
        count: usize,
        /// How many questions there are.
        total: usize,
        /// The first question without an answer.
        id: String,
        /// What needs all answers.
        needed_for: &'static str,
    },
    /// The suite has no submission file.
    #[error("this suite has no submission file: there is no server that scores it")]
    NoSubmission,
    /// The suite needs judgments of the answers, and nobody gives them.
    #[error(
        "the answers have to be judged: set the option judge-url, or reviews to read judgments"
    )]
    NoReviewer,

    /// A file holds two questions with the same id.
    #[error("{path} has two questions with the id {id}")]
    QuestionTwice {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
    },
    /// The answer to a multiple-choice question is none of its choices.
    #[error("question {id}: {answer:?} is not a choice, expected one of {}", .choices.join(", "))]
    NotAChoice {
        /// The question.
        id: String,
        /// The answer.
        answer: String,
        /// The choices.
        choices: Vec<String>,
    },
    /// A submission file needs whole numbers as ids.
    #[error("question {id} of {path} needs a whole number as its id for a submission to VQA")]
    NotANumber {
        /// The file of questions.
        path: PathBuf,
        /// The question.
        id: String,
    },
    /// A question has two judgments.
    #[error("question {id:?} has two judgments, expected one")]
    JudgedTwice {
        /// The question.
        id: String,
    },
    /// A synonym file is not valid.
    #[error("{path} is not a valid synonym file")]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: VocabularyError,
    },
    /// An annotated category is not an object of the vocabulary.
    #[error("{path}: the category {category:?} is not an object of the vocabulary")]
    Category {
        /// The file of instances.
        path: PathBuf,
        /// The category.
        category: String,
    },
    /// Too few images show enough objects to ask about.
    #[error("{found} images show {objects} or more objects, expected {expected} such images")]
    TooFewImages {
        /// How many images do.
        found: usize,
        /// How many objects each image is asked about.
        objects: usize,
        /// How many images were requested.
        expected: usize,
    },
    /// A question template has no placeholder.
    #[error("the template {template:?} has no {{}} to put the object in")]
    Template {
        /// The template.
        template: String,
    },

    /// A table has no such column.
    #[error("{path} has no column {column}")]
    Column {
        /// The table.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// A row of a table has too many or too few cells. The file may be truncated.
    #[error("{path}, line {line}: {found} cells, expected {expected}")]
    Cells {
        /// The table.
        path: PathBuf,
        /// The line at which the row begins, counted from 1.
        line: u64,
        /// How many cells the row has.
        found: usize,
        /// How many columns the table has.
        expected: usize,
    },
    /// A table ends within a quoted cell.
    #[error("{path}, line {line}: the file ends within a cell")]
    CutOff {
        /// The table.
        path: PathBuf,
        /// The line at which the last row begins, counted from 1.
        line: u64,
    },
    /// A table has a question in other orders of its options, but not in the first.
    #[error(
        "{path}: row {index} is row {first} with its options moved, but there is no row {first}"
    )]
    FirstOrder {
        /// The table.
        path: PathBuf,
        /// The row's index.
        index: u64,
        /// The index of the question's first row.
        first: u64,
    },
    /// A text is too long for a cell of a workbook.
    #[error(
        "row {index}: {column} has {length} characters, but a workbook cell holds at most 32767"
    )]
    LongCell {
        /// The row's index.
        index: u64,
        /// The column.
        column: String,
        /// The length of the text in UTF-16 code units, which is how workbooks count.
        length: usize,
    },
    /// A workbook could not be created.
    #[cfg(feature = "mmbench")]
    #[error("cannot create the workbook {path}")]
    Workbook {
        /// The workbook.
        path: PathBuf,
        /// The cause.
        source: Box<rust_xlsxwriter::XlsxError>,
    },

    /// There is no report to compare.
    #[error("there is no report to compare, expected at least one")]
    NoReports,
    /// Reports of different suites cannot be compared.
    #[error("reports of {first:?} and {other:?} cannot be compared, expected reports of one suite")]
    OtherSuite {
        /// The suite of the first report.
        first: String,
        /// The suite of another report.
        other: String,
    },
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line, counted from 1.
    Line(usize),
    /// An entry of a list, counted from 0.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why a text is not a valid vocabulary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// The text is not TOML, or does not have the tables of a vocabulary.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A word is listed for two objects.
    #[error("{word:?} stands for {one:?} and for {other:?}, expected one object")]
    TwoObjects {
        /// The word.
        word: String,
        /// One object.
        one: String,
        /// The other.
        other: String,
    },
    /// A name or a synonym has no words, or too many.
    #[error("{word:?} has {found} words, expected {expected}")]
    WordCount {
        /// The name.
        word: String,
        /// How many words it has.
        found: usize,
        /// How many it can have.
        expected: &'static str,
    },
    /// A rule mentions a word that stands for no object.
    #[error("{table}: {word:?} is not the name or a synonym of an object")]
    UnknownWord {
        /// The table of the rule.
        table: &'static str,
        /// The word.
        word: String,
    },
}
