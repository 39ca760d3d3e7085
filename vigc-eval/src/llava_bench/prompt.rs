//! What the judge is asked.

use std::collections::HashMap;

use super::{LlavaBench, LlavaBenchError, Question};

/// What the judge is told it is, in `eval_gpt_review_visual.py`.
pub const SYSTEM: &str =
    "You are a helpful and precise assistant for checking the quality of the answer.";

/// What the judge is asked about one answer; [`SYSTEM`] comes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgePrompt {
    /// The question's name.
    pub question_id: String,
    /// The text.
    pub text: String,
}

/// What the judge is asked about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgePrompts {
    /// One for each question.
    pub prompts: Vec<JudgePrompt>,
    /// The questions without an answer. The judge is shown an empty one.
    pub missing: Vec<String>,
}

impl LlavaBench {
    /// What the judge is asked about a model's answers, which are given by the question's name.
    ///
    /// # Errors
    ///
    /// [`LlavaBenchError::UnknownQuestion`] if an answer belongs to no question.
    pub fn judge_prompts(
        &self,
        answers: &HashMap<String, String>,
    ) -> Result<JudgePrompts, LlavaBenchError> {
        self.check(answers)?;
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
        let prompts = self.questions.iter().map(prompt).collect();
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
