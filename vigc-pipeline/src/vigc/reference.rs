//! The reference's correction loop (`llava_150k_gen.py`), quirks included, for parity.

use serde::{Deserialize, Serialize};

use super::dialogue::{Corrected, Rejected, Rejection, Step, StopReason, compare};
use super::sample::{CorrectionStep, InstructionSample};
use super::sentence::{reference_first_paragraph, reference_first_sentence};
use super::{Correction, Generated, LastStep, PromptStyle, Unit};
use crate::prompt::python_strip;
use crate::prompt::qa_text::{self, QuestionAnswer};

/// A sample under the reference's rules.
///
/// There are always `1 + steps` prompts, whatever the model answers: a malformed draft and an
/// empty correction do not end the loop. `docs/parity.md` lists every quirk.
#[derive(Debug, Clone)]
pub struct ReferenceLoop {
    correction: Correction,
    pair: Option<QuestionAnswer>,
    draft: Option<Generated>,
    one_shot: Option<String>,
    current_text: String,
    answer: String,
    steps: Vec<CorrectionStep>,
}

impl ReferenceLoop {
    /// A sample that begins with VIG.
    #[must_use]
    pub fn new(instruction: &str, correction: Correction) -> Self {
        Self {
            correction,
            pair: None,
            draft: None,
            one_shot: None,
            current_text: instruction.to_owned(),
            answer: String::new(),
            steps: Vec::new(),
        }
    }

    /// What the model is to be asked next, if anything.
    #[must_use]
    pub fn next_prompt(&self) -> Option<&str> {
        let is_done = self.draft.is_some() && self.steps.len() == self.correction.most_steps();
        (!is_done).then_some(&self.current_text)
    }

    /// Takes the model's answer to the prompt.
    ///
    /// # Panics
    ///
    /// Panics if there was no prompt.
    pub fn accept(&mut self, generated: &Generated) -> Step {
        assert!(self.next_prompt().is_some(), "there was no prompt to answer");
        if self.draft.is_none() {
            self.accept_draft(generated);
        } else {
            self.accept_correction(generated);
        }
        match (self.next_prompt(), self.rejection()) {
            (Some(_), _) => Step::Continue,
            (None, Some(reason)) => Step::Rejected(reason),
            (None, None) => Step::Stopped(self.stop_reason()),
        }
    }

    /// The finished texts.
    ///
    /// # Errors
    ///
    /// VIG's text, if it was not a question with an answer.
    ///
    /// # Panics
    ///
    /// Panics if there is another prompt.
    pub fn finish(mut self) -> Result<Corrected, Rejected> {
        assert!(self.next_prompt().is_none(), "there is another prompt to answer");
        let draft = self.draft.as_ref().expect("the first prompt was answered");
        if let Some(reason) = self.rejection() {
            return Err(Rejected { reason, text: draft.text.clone() });
        }
        let draft_log_prob = draft.log_prob(&(0..draft.text.len())).map(|(sum, _)| sum);
        let stop = self.stop_reason();
        let pair = self.pair.expect("a sample without a question is rejected");
        let changes = match stop {
            StopReason::NotCorrected => Vec::new(),
            _ => compare(&pair.answer, &self.answer, &mut self.steps),
        };
        Ok(Corrected {
            question: pair.question,
            draft: pair.answer,
            draft_log_prob,
            one_shot: self.one_shot,
            answer: self.answer,
            steps: self.steps,
            stop,
            changes,
            whole_text: self.current_text,
        })
    }

    fn accept_draft(&mut self, generated: &Generated) {
        self.draft = Some(generated.clone());
        self.pair = qa_text::parse_upstream(&generated.text);
        // An empty question falls back to the bare instruction, as a missing one does.
        let question = self.pair.as_ref().map_or("", |pair| &pair.question);
        if !question.is_empty() {
            self.current_text = match self.correction.style {
                PromptStyle::Vig => format!("{} Question: {question} Answer:", self.current_text),
                PromptStyle::Vic => question.to_owned(),
            };
        }
    }

    fn accept_correction(&mut self, generated: &Generated) {
        let text = generated.text.as_str();
        let is_first = self.steps.is_empty();
        if is_first {
            self.one_shot = Some(text.to_owned());
        }
        let is_last = self.steps.len() + 1 == self.correction.most_steps();
        let everything = is_last && self.correction.last_step == LastStep::Everything;
        let (part, prompt_separator, answer_separator) = match self.correction.unit {
            Unit::Sentence if everything => (text.to_owned(), " ", " "),
            Unit::Sentence => (reference_first_sentence(text), " ", " "),
            Unit::Paragraph => {
                let part =
                    if everything { python_strip(text) } else { reference_first_paragraph(text) };
                (part.to_owned(), if is_first { " " } else { " \n\n" }, " \n\n")
            }
        };
        let join =
            |head: &str, separator| python_strip(&[head, separator, &part].concat()).to_owned();
        self.current_text = join(&self.current_text, prompt_separator);
        self.answer = join(&self.answer, answer_separator);
        self.push(generated, part);
    }

    fn push(&mut self, generated: &Generated, text: String) {
        let start = generated.text.find(text.trim_end_matches('.')).unwrap_or_default();
        let log_prob = generated.log_prob(&(start..start + text.len()));
        self.steps.push(CorrectionStep {
            step: self.steps.len() + 1,
            text,
            log_prob: log_prob.map(|(sum, _)| sum),
            tokens: log_prob.map_or(0, |(_, count)| count),
            repeats_skipped: 0,
            verdict: None,
        });
    }

    fn rejection(&self) -> Option<Rejection> {
        let text = self.draft.as_ref().filter(|_| self.pair.is_none())?;
        let reason = qa_text::parse_strict(&text.text).err();
        Some(Rejection::Malformed(reason.unwrap_or(qa_text::Malformed::NoAnswer)))
    }

    const fn stop_reason(&self) -> StopReason {
        match self.correction.most_steps() {
            0 => StopReason::NotCorrected,
            _ => StopReason::LastStep,
        }
    }
}

/// A row as the reference writes it, fields in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceRow {
    /// The image file.
    pub image: String,
    /// What VIG was asked.
    pub instruction: String,
    /// The number in the image's name, or its name.
    pub image_id: ImageId,
    /// The last prompt with its answer.
    pub whole_text: String,
    /// The corrected answer.
    pub answer: String,
    /// VIG's answer.
    pub original_answer: String,
    /// VIC's whole answer when it was asked for the first time.
    pub answer_given_question: Option<String>,
    /// VIG's question.
    pub question: String,
    /// The paragraphs of the corrected answer; empty if it was corrected by sentences.
    pub answer_lst: Vec<String>,
}

impl From<&InstructionSample> for ReferenceRow {
    fn from(sample: &InstructionSample) -> Self {
        let by_paragraph = sample.settings.correction.unit == Unit::Paragraph;
        let parts = sample.steps.iter().filter(|_| by_paragraph).map(|step| step.text.clone());
        Self {
            image: sample.image.clone(),
            instruction: sample.instruction.clone(),
            image_id: ImageId::of(&sample.image),
            whole_text: sample.whole_text.clone(),
            answer: sample.answer.clone(),
            original_answer: sample.draft.clone(),
            answer_given_question: sample.one_shot.clone(),
            question: sample.question.clone(),
            answer_lst: parts.collect(),
        }
    }
}

/// The number of an image, or its name where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ImageId {
    /// As in COCO's `000000000009.jpg` and Objects365's `objects365_v2_01805764.jpg`.
    Number(u64),
    /// The file's name without its extension.
    Name(String),
}

impl ImageId {
    /// The number that the name of a file ends with, after its last underscore.
    #[must_use]
    pub fn of(image: &str) -> Self {
        let name = image.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let digits = stem.rsplit('_').next().unwrap_or_default();
        let number =
            digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.map_or_else(|| Self::Name(stem.to_owned()), Self::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_ids_are_the_references() {
        for (image, expected) in [
            ("000000000009.jpg", ImageId::Number(9)),
            ("train/patch38/objects365_v2_01805764.jpg", ImageId::Number(1_805_764)),
            ("val2014/COCO_val2014_000000000042.jpg", ImageId::Number(42)),
            ("street.v2.png", ImageId::Name("street.v2".into())),
            ("a_+5.png", ImageId::Name("a_+5".into())),
        ] {
            assert_eq!(ImageId::of(image), expected);
        }
    }
}
