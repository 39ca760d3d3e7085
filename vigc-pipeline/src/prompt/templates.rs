//! Templates: prompts with a placeholder for the question.

/// A prompt with one placeholder for a question, written `{q}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template(&'static str);

impl Template {
    /// The prompt for a question.
    #[must_use]
    pub fn fill(self, question: &str) -> String {
        let (head, tail) = self.split();
        format!("{head}{question}{tail}")
    }

    fn split(self) -> (&'static str, &'static str) {
        self.0.split_once("{q}").expect("every template of this file has a placeholder")
    }
}

/// The question alone: VIC's prompt for LLaVA's data.
pub const BARE_QUESTION: Template = Template("{q}");

/// The prompt with which short answers are generated and evaluated (`vic_eval.py`).
pub const SHORT_ANSWER: Template = Template("Question: {q} Short answer:");

/// The text that follows VIG's instruction if the question, or its beginning, is given (`vig_eval.py`).
pub const GIVEN_QUESTION: Template = Template(" Question: {q}");

/// VIC's prompts for OKVQA, A-OKVQA and VQAv2. Training draws them uniformly (`vigc_train.py`, `VQA_PROMPTS`).
pub const QUESTION_ANSWERING: [Template; 10] = [
    BARE_QUESTION,
    Template("Question: {q}"),
    Template("{q} A short answer to the question is"),
    Template("Q: {q} A:"),
    SHORT_ANSWER,
    Template("Given the image, answer the following question with no more than three words. {q}"),
    Template("Based on the image, respond to this question with a short answer: {q}. Answer:"),
    Template(
        "Use the provided image to answer the question: {q} Provide your answer as short as possible:",
    ),
    Template("What is the answer to the following question? \"{q}\""),
    Template("The question \"{q}\" can be answered using the image. A short answer is"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_one_placeholder() {
        for template in QUESTION_ANSWERING.iter().chain([&GIVEN_QUESTION]) {
            assert_eq!(template.fill("\u{1}").matches('\u{1}').count(), 1, "{template:?}");
            assert!(!template.fill("").contains('{'), "{template:?}");
        }
    }

    #[test]
    fn braces_in_a_question_are_kept() {
        assert_eq!(SHORT_ANSWER.fill("{q} {a}?"), "Question: {q} {a}? Short answer:");
    }
}
