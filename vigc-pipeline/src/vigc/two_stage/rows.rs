//! The files that the reference's two stages write, fields in their order.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::answers::upstream_answer;
use super::record::KnowledgeSample;
use crate::Result;
use crate::vigc::export::{Exported, LlavaRecord, to_python_json, write_list};
use crate::vigc::image_id::ImageId;

/// Writes `question.json` of the rows' questions, whole or not at all.
///
/// # Errors
///
/// Returns the first error among `rows`, or [`Error::Write`](crate::Error::Write) if the file cannot be written.
pub fn write_questions(
    path: impl AsRef<Path>,
    rows: impl IntoIterator<Item = Result<KnowledgeSample>>,
) -> Result<()> {
    let questions =
        rows.into_iter().map(|row| row.map(|row| to_python_json(&QuestionRow::from(&row))));
    write_list(path.as_ref(), ["[", ", ", "]"], questions)
}

/// A row of the first stage's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawQuestionRow {
    /// The image file.
    pub image: String,
    /// What VIG was asked.
    pub instruction: String,
    /// The number in the image's name, or its name.
    pub image_id: ImageId,
    /// VIG's text with what it was begun with.
    pub question_answer: String,
}

/// A row of `question.json`, which the second stage reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionRow {
    /// The image file.
    pub image: String,
    /// The question.
    pub question: String,
    /// VIG's answer.
    pub ori_answer: String,
}

/// A row of the second stage's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawAnswerRow {
    /// The image file.
    pub image: String,
    /// The number in the image's name, or its name.
    pub image_id: ImageId,
    /// The question.
    pub question: String,
    /// The answers, best first.
    pub question_answer: Vec<String>,
    /// Their weights.
    pub weight: Vec<f32>,
}

/// A row of `question_answer.json`, which training on pseudo-labels reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerRow {
    /// The image file.
    pub image: String,
    /// The number in the image's name, or its name.
    pub image_id: ImageId,
    /// The question.
    pub question: String,
    /// The answers' weights.
    pub weight: Vec<f32>,
    /// The answers, best first.
    pub answer: Vec<String>,
}

impl From<&KnowledgeSample> for RawQuestionRow {
    fn from(sample: &KnowledgeSample) -> Self {
        Self {
            image: sample.image.clone(),
            instruction: sample.instruction.clone(),
            image_id: ImageId::of(&sample.image),
            question_answer: sample.question_answer.clone(),
        }
    }
}

impl From<&KnowledgeSample> for QuestionRow {
    fn from(sample: &KnowledgeSample) -> Self {
        Self {
            image: sample.image.clone(),
            question: sample.question.clone(),
            ori_answer: sample.draft.clone(),
        }
    }
}

impl From<&KnowledgeSample> for RawAnswerRow {
    fn from(sample: &KnowledgeSample) -> Self {
        Self {
            image: sample.image.clone(),
            image_id: ImageId::of(&sample.image),
            question: sample.question.clone(),
            question_answer: sample.answers.iter().map(|answer| answer.text.clone()).collect(),
            weight: sample.answers.iter().map(|answer| answer.weight).collect(),
        }
    }
}

impl From<&KnowledgeSample> for AnswerRow {
    fn from(sample: &KnowledgeSample) -> Self {
        let RawAnswerRow { image, image_id, question, question_answer, weight } = sample.into();
        let answer = question_answer.iter().map(|answer| upstream_answer(answer)).collect();
        Self { image, image_id, question, weight, answer }
    }
}

/// What LLaVA 1.5 asks for short answers with.
const SHORTLY: &str = "Answer the question using a single word or phrase.";

impl Exported for KnowledgeSample {
    fn llava(&self) -> LlavaRecord {
        let question = format!("{}\n{SHORTLY}", self.question);
        let answer = self.answers.first().map_or("", |answer| &answer.text);
        LlavaRecord::new(&self.image_id, &self.image, &question, answer)
    }

    fn upstream(&self) -> serde_json::Result<String> {
        to_python_json(&AnswerRow::from(self))
    }
}
