//! What the judge is asked.

use std::collections::HashMap;

use super::bench::{LlavaBench, Question};
use crate::error::Result;

/// The judge of the published results. Scores of different judges cannot be compared.
pub const JUDGE_MODEL: &str = "gpt-4-0314";
/// The temperature of the published judge.
pub const JUDGE_TEMPERATURE: f64 = 0.2;
/// The longest reply of the published judge, in tokens.
pub const JUDGE_MAX_TOKENS: u32 = 1024;

/// The judge's system prompt, as in `eval_gpt_review_visual.py`.
pub const SYSTEM: &str =
    "You are a helpful and precise assistant for checking the quality of the answer.";

/// What the judge is asked about one answer. [`SYSTEM`] comes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgePrompt {
    /// The id of the question.
    pub question_id: String,
    /// The prompt.
    pub text: String,
}

/// What the judge is asked about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgePrompts {
    /// A prompt for each question.
    pub prompts: Vec<JudgePrompt>,
    /// The questions without an answer. The judge sees an empty one.
    pub missing: Vec<String>,
}

impl LlavaBench {
    /// What the judge is asked about a model's answers, which are filed under the ids of their questions.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`](crate::Error::UnknownQuestion) if an answer belongs to no question.
    pub fn judge_prompts(&self, answers: &HashMap<String, String>) -> Result<JudgePrompts> {
        self.check(answers.keys())?;
        let mut missing = Vec::new();
        let prompt = |question: &Question| {
            let answer = answers.get(&question.id).map_or_else(
                || {
                    missing.push(question.id.clone());
                    ""
                },
                String::as_str,
            );
            JudgePrompt { question_id: question.id.clone(), text: question.judge_text(answer) }
        };
        let prompts = self.questions().iter().map(prompt).collect();
        Ok(JudgePrompts { prompts, missing })
    }
}

impl Question {
    /// The layout of `eval_gpt_review_visual.py`.
    fn judge_text(&self, answer: &str) -> String {
        let Self { context, text, reference, rule, .. } = self;
        let role = &rule.role;
        let said = |number: u8, answer: &str| {
            format!("[{role} {number}]\n{answer}\n\n[End of {role} {number}]\n\n")
        };
        let (first, second) = (said(1, reference), said(2, answer));
        format!(
            "[Context]\n{context}\n\n[Question]\n{text}\n\n{first}{second}[System]\n{}\n\n",
            rule.prompt
        )
    }
}
