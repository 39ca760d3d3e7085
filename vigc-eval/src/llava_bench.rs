//! LLaVA-Eval, which is LLaVA-Bench (COCO): 30 pictures, each with a question for conversation, one for a
//! detailed description and one for complex reasoning. A language model that sees captions and boxes instead
//! of the picture gives two marks, one to the reference answer and one to the model's.
//!
//! Liu et al., "Visual Instruction Tuning", 2023; `llava/eval/eval_gpt_review_visual.py` and
//! `llava/eval/summarize_gpt_review.py` of haotian-liu/LLaVA. The questions and the judge's rules are part of
//! what the marks mean, and are read from the published files.

#[cfg(feature = "judge")]
mod asking;
mod error;
mod files;
mod prompt;
mod review;
mod samples;
mod score;
mod summary;

use std::collections::HashMap;
use std::path::PathBuf;

#[cfg(feature = "judge")]
pub use asking::{Judged, judge_parameters};
pub use error::LlavaBenchError;
pub use files::{LlavaBenchFiles, read_answers};
pub use prompt::{JudgePrompt, JudgePrompts, SYSTEM};
pub use review::{Marks, Review, read_reviews, write_reviews};
pub use score::{CategoryScore, Score};
pub use summary::{Summary, summarize};

use super::answers::{Ask, AskImage, How};
use vigc_pipeline::data::DataError;

/// The judge of the published results. Marks of different judges cannot be compared.
pub const JUDGE_MODEL: &str = "gpt-4-0314";
/// The temperature of the published judge.
pub const JUDGE_TEMPERATURE: f64 = 0.2;
/// The longest reply of the published judge, in tokens.
pub const JUDGE_MAX_TOKENS: u32 = 1024;

/// A question of the benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its name, `question_id` in the files.
    pub id: String,
    /// The picture's file name.
    pub image: String,
    /// The question.
    pub text: String,
    /// `conv`, `detail` or `complex`.
    pub category: String,
    /// The reference answer, by a model that read captions and boxes.
    pub reference: String,
    context: String,
    rule: files::Rule,
}

/// The questions with everything that the judge is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlavaBench {
    questions: Vec<Question>,
    pictures: PathBuf,
}

impl LlavaBench {
    /// Reads the published files. The pictures are in a folder, under the names that the questions give them
    /// or under those of COCO's `val2014`.
    ///
    /// # Errors
    ///
    /// [`DataError`] naming file, row and key; a question without reference answer, context or rule is one,
    /// too.
    pub fn open(files: &LlavaBenchFiles, pictures: impl Into<PathBuf>) -> Result<Self, DataError> {
        Ok(Self { questions: files::read_questions(files)?, pictures: pictures.into() })
    }

    /// The questions, in the file's order.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// What the model under test is asked: the plain question.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        let ask = |question: &Question| Ask {
            id: question.id.clone(),
            image: AskImage::File(self.picture(question)),
            prompt: question.text.clone(),
            how: How::Write,
        };
        self.questions.iter().map(ask).collect()
    }

    /// The picture's file, under COCO's longer name if there is only that.
    fn picture(&self, question: &Question) -> PathBuf {
        let image = &question.image;
        let (plain, coco) =
            (self.pictures.join(image), self.pictures.join(format!("COCO_val2014_{image}")));
        if !plain.exists() && coco.exists() { coco } else { plain }
    }

    fn positions(&self) -> HashMap<&str, usize> {
        let ids = self.questions.iter().map(|question| question.id.as_str());
        ids.zip(0..).collect()
    }

    /// Refuses answers to questions that are not asked: most likely they are those of another suite.
    fn check(&self, answers: &HashMap<String, String>) -> Result<(), LlavaBenchError> {
        let known = self.positions();
        match answers.keys().filter(|id| !known.contains_key(id.as_str())).min() {
            Some(id) => Err(LlavaBenchError::UnknownQuestion { id: id.clone() }),
            None => Ok(()),
        }
    }
}
