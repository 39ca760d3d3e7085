//! Questions with what people answered, from the files that the data sets are published as.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::VqaError;
use vigc_pipeline::data::DataError;
use vigc_pipeline::data::annotation::{Annotation, Row, read_rows};
use vigc_pipeline::data::vqa::{aokvqa_choices, aokvqa_row, given_answers, okvqa_row, read_vqav2};

/// A question about a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The data set's name for it, or else its place in the file.
    pub id: String,
    /// The picture's file, as the data set names it.
    pub image: PathBuf,
    /// The question.
    pub question: String,
    /// What people answered, and how many did; empty where the data set keeps it secret.
    pub answers: Vec<(String, f64)>,
    /// The choices of a multiple-choice question.
    pub choices: Vec<String>,
    /// The place of the right choice, where it is known.
    pub right: Option<usize>,
    /// What kind of question it is: its first words in VQAv2, its topic in OKVQA.
    pub question_type: Option<String>,
    /// What kind of answer it has: `yes/no`, `number` or `other`.
    pub answer_type: Option<String>,
    /// A-OKVQA's `difficult_direct_answer`: people's own answers differ too much to be scored.
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

    /// Adds the kinds of question and answer that a row names.
    fn with_types(self, Types { question_type, answer_type }: Types) -> Self {
        Self { question_type: question_type.map(topic), answer_type, ..self }
    }
}

/// The kinds of question and answer that a row names, if any.
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

/// OKVQA numbers its topics in words; its annotations name them once, in `question_types`.
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

/// Questions and annotations as VQAv2 and OKVQA are published.
pub(super) fn read_published(
    questions: &Path,
    annotations: Option<&Path>,
    image_name: &str,
) -> Result<Vec<Question>, VqaError> {
    let annotation = |row: &Row<'_>| Ok((given_answers(row)?, Types::of(row)));
    let rows = read_vqav2(questions, annotations, image_name, annotation)?;
    let question = |(row, (question, (answers, types)))| {
        Question::new(row, Annotation { answers, ..question }).with_types(types)
    };
    named_once(questions, rows.into_iter().enumerate().map(question).collect())
}

/// The reference's rows, `{image, question, answer: [..]}`.
pub(super) fn read_reference(path: &Path) -> Result<Vec<Question>, VqaError> {
    read(path, |row| Ok(Question::new(row.row, okvqa_row(row)?).with_types(Types::of(row))))
}

/// A-OKVQA.
pub(super) fn read_aokvqa(path: &Path) -> Result<Vec<Question>, VqaError> {
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
) -> Result<Vec<Question>, VqaError> {
    let objects = read_rows(path)?;
    let rows = objects.iter().enumerate().map(|(row, object)| question(&Row { path, row, object }));
    named_once(path, rows.collect::<Result<_, _>>()?)
}

fn named_once(path: &Path, questions: Vec<Question>) -> Result<Vec<Question>, VqaError> {
    let mut names = HashSet::with_capacity(questions.len());
    match questions.iter().find(|question| !names.insert(question.id.as_str())) {
        Some(twice) => Err(VqaError::Twice { path: path.to_owned(), id: twice.id.clone() }),
        None => Ok(questions),
    }
}
