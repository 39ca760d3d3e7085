//! The reference's correction loop (`llava_150k_gen.py`), quirks included, for parity.

use vigc_llm::generation::Generated;

use super::correction::{Correction, LastStep, PromptStyle, Unit};
use super::outcome::{Corrected, CorrectionStep, Rejected, Rejection, Step, StopReason, compare};
use super::sentence::{upstream_first_paragraph, upstream_first_sentence};
use crate::prompt::python_strip;
use crate::prompt::qa_text::{self, QuestionAnswer};

/// A sample under the reference's rules.
///
/// There are always `1 + steps` prompts, whatever the model answers: a malformed draft and an
/// empty correction do not end the loop. `docs/parity.md` lists every quirk.
#[derive(Debug, Clone)]
pub struct UpstreamLoop {
    correction: Correction,
    pair: Option<QuestionAnswer>,
    draft: Option<Generated>,
    one_shot: Option<String>,
    current_text: String,
    answer: String,
    steps: Vec<CorrectionStep>,
}

impl UpstreamLoop {
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
            Unit::Sentence => (upstream_first_sentence(text), " ", " "),
            Unit::Paragraph => {
                let part =
                    if everything { python_strip(text) } else { upstream_first_paragraph(text) };
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
