//! The format in which VIG writes a question with its answer: `Question: … Answer: …`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text_processor::python_strip;

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// Why a text is not exactly one question with one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Malformed {
    /// No `Question:`.
    NoQuestion,
    /// More than one `Question:`.
    SeveralQuestions,
    /// No `Answer:` after the question.
    NoAnswer,
    /// More than one `Answer:`.
    SeveralAnswers,
    /// The question has neither letters nor digits.
    EmptyQuestion,
    /// The answer has neither letters nor digits.
    EmptyAnswer,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoQuestion => "no question",
            Self::SeveralQuestions => "several questions",
            Self::NoAnswer => "no answer",
            Self::SeveralAnswers => "several answers",
            Self::EmptyQuestion => "empty question",
            Self::EmptyAnswer => "empty answer",
        })
    }
}

impl std::error::Error for Malformed {}

const QUESTION: &str = "Question:";
const ANSWER: &str = "Answer:";

/// The text that VIG is trained to write. It begins with a space, as upstream.
#[must_use]
pub fn format(question: &str, answer: &str) -> String {
    format!(" {QUESTION} {question} {ANSWER} {answer}")
}

/// Parses a text as the upstream program does (`llava_150k_gen.py`): only the text after the last `Question:` counts, and
/// it must have exactly one `Answer:`. Question and answer may be empty.
#[must_use]
pub fn parse_upstream(text: &str) -> Option<QuestionAnswer> {
    let (_, pair) = text.rsplit_once(QUESTION)?;
    let (question, answer) = pair.split_once(ANSWER)?;
    if answer.contains(ANSWER) {
        return None;
    }
    let [question, answer] = [question, answer].map(|part| python_strip(part).to_owned());
    Some(QuestionAnswer { question, answer })
}

/// Parses a text that must have exactly one question and one answer, both not empty.
///
/// # Errors
///
/// Says what is missing, repeated or empty.
pub fn parse_strict(text: &str) -> Result<QuestionAnswer, Malformed> {
    let (_, pair) = text.split_once(QUESTION).ok_or(Malformed::NoQuestion)?;
    if pair.contains(QUESTION) {
        return Err(Malformed::SeveralQuestions);
    }
    let (question, answer) = pair.split_once(ANSWER).ok_or(Malformed::NoAnswer)?;
    if answer.contains(ANSWER) {
        return Err(Malformed::SeveralAnswers);
    }
    let has_content = |part: &str| part.chars().any(char::is_alphanumeric);
    if !has_content(question) {
        return Err(Malformed::EmptyQuestion);
    }
    if !has_content(answer) {
        return Err(Malformed::EmptyAnswer);
    }
    Ok(QuestionAnswer { question: question.trim().to_owned(), answer: answer.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatted_texts_are_parsed() {
        let text = format("Is it 3.5 m?", "Yes. It is.");
        assert_eq!(text, " Question: Is it 3.5 m? Answer: Yes. It is.");
        assert_eq!(parse_upstream(&text), parse_strict(&text).ok());
    }

    #[test]
    fn the_strict_parser_names_what_is_wrong() {
        for (text, expected) in [
            ("", Malformed::NoQuestion),
            ("What? Answer: x", Malformed::NoQuestion),
            ("Question: a Answer: b Question: c Answer: d", Malformed::SeveralQuestions),
            ("Answer: x Question: what?", Malformed::NoAnswer),
            ("Question: a Answer: b Answer: c", Malformed::SeveralAnswers),
            ("Question: ? Answer: x", Malformed::EmptyQuestion),
            ("Question: a Answer: .", Malformed::EmptyAnswer),
        ] {
            assert_eq!(parse_strict(text), Err(expected), "{text:?}");
        }
    }
}
