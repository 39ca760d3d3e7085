//! Templates: how a question or an answer becomes a prompt.

/// A prompt with a place for a question or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template(&'static str);

impl Template {
    /// The prompt for one question or answer.
    #[must_use]
    pub fn fill(self, text: &str) -> String {
        let (head, tail) = self.split();
        format!("{head}{text}{tail}")
    }

    /// The template as the reference writes it, its place marked `{q}` or `{a}`.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.0
    }

    fn split(self) -> (&'static str, &'static str) {
        let place = self.0.split_once("{q}").or_else(|| self.0.split_once("{a}"));
        place.expect("every template of this file has a place")
    }
}

/// The bare question: VIC's prompt for LLaVA's data.
pub const BARE_QUESTION: Template = Template("{q}");

/// The prompt that short answers are generated and evaluated with (`vic_eval.py`).
pub const SHORT_ANSWER: Template = Template("Question: {q} Short answer:");

/// What VIG's instruction is followed by when the question is given (`vig_eval.py`).
pub const GIVEN_QUESTION: Template = Template(" Question: {q}");

/// VIC's prompts for OKVQA, A-OKVQA and VQAv2, chosen uniformly in training (`vigc_train.py`,
/// `VQA_PROMPTS`).
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

/// Prompts that ask for the question of an answer (`VQG_PROMPTS`).
pub const QUESTION_GENERATION: [Template; 6] = [
    Template("Given the image, generate a question whose answer is: {a}. Question:"),
    Template("Based on the image, provide a question with the answer: {a}. Question:"),
    Template("Given the visual representation, create a question for which the answer is \"{a}\"."),
    Template("From the image provided, craft a question that leads to the reply: {a}. Question:"),
    Template("Considering the picture, come up with a question where the answer is: {a}."),
    Template(
        "Taking the image into account, generate an question that has the answer: {a}. Question:",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_one_place() {
        for template in QUESTION_ANSWERING.iter().chain(&QUESTION_GENERATION) {
            assert_eq!(template.fill("\u{1}").matches('\u{1}').count(), 1, "{template:?}");
            assert!(!template.fill("").contains('{'), "{template:?}");
        }
    }

    #[test]
    fn braces_of_a_question_are_kept() {
        assert_eq!(SHORT_ANSWER.fill("{q} {a}?"), "Question: {q} {a}? Short answer:");
    }
}
