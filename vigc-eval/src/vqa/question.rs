//! Questions with people's answers, from the published files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::{self, Annotation, Row};
use vigc_pipeline::data::vqa::{aokvqa_choices, aokvqa_row, given_answers, okvqa_row, read_vqav2};

use crate::error::{Error, Result};

/// A question about an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The id that the data set gives it, or else its position in the file.
    pub id: String,
    /// The file name of the image.
    pub image: PathBuf,
    /// The question.
    pub question: String,
    /// People's answers, and how many people gave each; empty if they are secret.
    pub answers: Vec<(String, f64)>,
    /// The choices of a multiple-choice question.
    pub choices: Vec<String>,
    /// The position of the right choice, if it is known.
    pub right: Option<usize>,
    /// The kind of question: its first words in VQAv2, its topic in OKVQA.
    pub question_type: Option<String>,
    /// The kind of answer: `yes/no`, `number` or `other`.
    pub answer_type: Option<String>,
    /// A-OKVQA's `difficult_direct_answer`: people's direct answers differ too much to score others.
    pub difficult: bool,
}

impl Question {
    fn new(row: usize, annotation: Annotation) -> Self {
        let (choices, right) = annotation.choices.unzip();
        Self {
            id: annotation.question_id.unwrap_or_else(|| row.to_string()),
            image: annotation.image,
            question: annotation.question,
            answers: annotation.answers,
            choices: choices.unwrap_or_default(),
            right,
            question_type: None,
            answer_type: None,
            difficult: false,
        }
    }

    /// Adds the kinds of question and answer of a row.
    fn with_types(self, Types { question_type, answer_type }: Types) -> Self {
        Self { question_type: question_type.map(topic), answer_type, ..self }
    }
}

/// The kinds of question and answer of a row, if it has them.
#[derive(Debug, Default)]
struct Types {
    question_type: Option<String>,
    answer_type: Option<String>,
}

impl Types {
    fn of(row: &Row<'_>) -> Self {
        Self { question_type: row.name("question_type"), answer_type: row.name("answer_type") }
    }
}

/// OKVQA's name for a topic. Its annotations number topics in words, and name them once, in `question_types`.
fn topic(question_type: String) -> String {
    let topic = match question_type.as_str() {
        "one" => "vehicles and transportation",
        "two" => "brands, companies and products",
        "three" => "objects, material and clothing",
        "four" => "sports and recreation",
        "five" => "cooking and food",
        "six" => "geography, history, language and culture",
        "seven" => "people and everyday life",
        "eight" => "plants and animals",
        "nine" => "science and technology",
        "ten" => "weather and climate",
        _ => return question_type,
    };
    topic.to_owned()
}

/// Reads questions and annotations as VQAv2 and OKVQA are published.
pub(super) fn read_published(
    questions: &Path,
    annotations: Option<&Path>,
    image_name: &str,
) -> Result<Vec<Question>> {
    let annotation = |row: &Row<'_>| Ok((given_answers(row)?, Types::of(row)));
    let rows = read_vqav2(questions, annotations, image_name, annotation)?;
    let question = |(row, (question, (answers, types)))| {
        Question::new(row, Annotation { answers, ..question }).with_types(types)
    };
    check_ids(questions, rows.into_iter().enumerate().map(question).collect())
}

/// Reads the rows of the VIGC upstream, `{image, question, answer: [..]}`.
pub(super) fn read_rows(path: &Path) -> Result<Vec<Question>> {
    read(path, |row| Ok(Question::new(row.row, okvqa_row(row)?).with_types(Types::of(row))))
}

/// Reads A-OKVQA.
pub(super) fn read_aokvqa(path: &Path) -> Result<Vec<Question>> {
    read(path, |row| {
        let choices = aokvqa_choices(row)?.unwrap_or_default();
        let difficult = match row.get("difficult_direct_answer") {
            None => false,
            Some(found) => found.as_bool().ok_or_else(|| {
                row.wrong("difficult_direct_answer", Some(found), "true or false")
            })?,
        };
        let question = Question::new(row.row, aokvqa_row(row)?).with_types(Types::of(row));
        Ok(Question { choices, difficult, ..question })
    })
}

fn read(
    path: &Path,
    question: impl Fn(&Row<'_>) -> Result<Question, DataError>,
) -> Result<Vec<Question>> {
    let objects = annotation::read_rows(path)?;
    let rows = objects.iter().enumerate().map(|(row, object)| question(&Row { path, row, object }));
    check_ids(path, rows.collect::<Result<_, _>>()?)
}

/// Refuses two questions with the same id: an answer would belong to both.
fn check_ids(path: &Path, questions: Vec<Question>) -> Result<Vec<Question>> {
    let mut names = HashSet::with_capacity(questions.len());
    match questions.iter().find(|question| !names.insert(question.id.as_str())) {
        Some(twice) => Err(Error::QuestionTwice { path: path.to_owned(), id: twice.id.clone() }),
        None => Ok(questions),
    }
}
