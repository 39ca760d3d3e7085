//! The correction loop under our rules.

use vigc_llm::generation::{FinishReason, Generated, GenerationHint, TextEnd};

use super::correction::{BeamEnds, Correction, LastStep, PromptStyle, Steps, Unit};
use super::outcome::{Corrected, CorrectionStep, Rejected, Rejection, Step, StopReason, compare};
use super::sentence::{self, Span};
use crate::prompt::qa_text::{self, QuestionAnswer};

/// A sample under our rules.
///
/// VIG's text must hold exactly one question and one answer. Then, step by step, the model is shown
/// the question with the answer so far, and the first sentence (or paragraph) of its text that has
/// not been said is accepted.
///
/// ```
/// use vigc_llm::generation::Generated;
/// use vigc_pipeline::vigc::{Correction, Vic};
///
/// let mut vic = Vic::new("Ask and answer.", Correction::until_end(8));
/// for text in ["Question: What is it? Answer: A dog.", "A cat. It sits.", "It sits."] {
///     vic.accept(&Generated::text(text));
/// }
/// assert_eq!(vic.next_prompt(), None);
/// assert_eq!(vic.finish().unwrap().answer, "A cat. It sits.");
/// ```
#[derive(Debug, Clone)]
pub struct Vic {
    correction: Correction,
    instruction: String,
    pair: QuestionAnswer,
    draft_log_prob: Option<f32>,
    one_shot: Option<String>,
    accepted: Vec<CorrectionStep>,
    /// What the model is likely to write next.
    expected: String,
    prompt: String,
    taken: usize,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Questioning,
    Correcting,
    Stopped(StopReason),
    Rejected(Rejected),
}

impl Vic {
    /// A sample that begins with VIG.
    #[must_use]
    pub fn new(instruction: &str, correction: Correction) -> Self {
        Self {
            correction,
            instruction: instruction.to_owned(),
            pair: QuestionAnswer { question: String::new(), answer: String::new() },
            draft_log_prob: None,
            one_shot: None,
            accepted: Vec::new(),
            expected: String::new(),
            prompt: instruction.to_owned(),
            taken: 0,
            state: State::Questioning,
        }
    }

    /// A sample whose question, and perhaps answer, is given.
    #[must_use]
    pub fn for_question(instruction: &str, pair: QuestionAnswer, correction: Correction) -> Self {
        let mut vic = Self::new(instruction, correction);
        vic.begin_correction(pair);
        vic
    }

    /// What the model is to be asked next, if anything.
    #[must_use]
    pub fn next_prompt(&self) -> Option<&str> {
        matches!(self.state, State::Questioning | State::Correcting).then_some(&self.prompt)
    }

    /// What is known of the answer to the prompt: it will say much of what the draft, or the answer before, said; and only its
    /// first unit that is new is kept. The first answer is wanted whole, for [`Corrected::one_shot`].
    #[must_use]
    pub fn hint(&self) -> GenerationHint<'_> {
        let whole = self.one_shot.is_none()
            || (self.taken + 1 == self.correction.most_steps()
                && self.correction.last_step == LastStep::Everything);
        match self.state {
            State::Correcting => GenerationHint {
                draft: &self.expected,
                until: (!whole).then_some(self as &dyn TextEnd),
                stops_beams: self.correction.beam_ends == BeamEnds::Unit,
            },
            _ => GenerationHint::default(),
        }
    }

    /// Takes the model's answer to the prompt.
    ///
    /// # Panics
    ///
    /// Panics if there was no prompt.
    pub fn accept(&mut self, generated: &Generated) -> Step {
        match self.state {
            State::Questioning => self.accept_draft(generated),
            State::Correcting => self.accept_correction(generated),
            State::Stopped(_) | State::Rejected(_) => panic!("there was no prompt to answer"),
        }
        match &self.state {
            State::Questioning | State::Correcting => Step::Continue,
            State::Stopped(reason) => Step::Stopped(*reason),
            State::Rejected(rejected) => Step::Rejected(rejected.reason),
        }
    }

    /// The finished texts.
    ///
    /// # Errors
    ///
    /// The rejected text with its reason.
    ///
    /// # Panics
    ///
    /// Panics if there is another prompt.
    pub fn finish(mut self) -> Result<Corrected, Rejected> {
        let stop = match self.state {
            State::Stopped(reason) => reason,
            State::Rejected(rejected) => return Err(rejected),
            State::Questioning | State::Correcting => panic!("there is another prompt to answer"),
        };
        let (answer, changes) = if stop == StopReason::NotCorrected {
            (self.pair.answer.clone(), Vec::new())
        } else {
            let answer = self.answer_so_far();
            let changes = compare(&self.pair.answer, &answer, &mut self.accepted);
            (answer, changes)
        };
        Ok(Corrected {
            whole_text: format!("{} {answer}", self.opening()),
            question: self.pair.question,
            draft: self.pair.answer,
            draft_log_prob: self.draft_log_prob,
            one_shot: self.one_shot,
            answer,
            steps: self.accepted,
            stop,
            changes,
        })
    }

    fn accept_draft(&mut self, generated: &Generated) {
        match qa_text::parse_strict(&generated.text) {
            Ok(pair) => {
                self.draft_log_prob =
                    generated.log_prob(&(0..generated.text.len())).map(|(sum, _)| sum);
                self.begin_correction(pair);
            }
            Err(_)
                if generated.finish == FinishReason::MaxTokens
                    && !generated.text.contains("Answer:") =>
            {
                self.reject(Rejection::TruncatedDraft, generated);
            }
            Err(reason) => self.reject(Rejection::Malformed(reason), generated),
        }
    }

    fn begin_correction(&mut self, pair: QuestionAnswer) {
        self.pair = pair;
        self.expected.clone_from(&self.pair.answer);
        self.prompt = self.opening();
        self.state = match self.correction.most_steps() {
            0 => State::Stopped(StopReason::NotCorrected),
            _ => State::Correcting,
        };
    }

    fn accept_correction(&mut self, generated: &Generated) {
        self.taken += 1;
        if self.one_shot.is_none() {
            self.one_shot = Some(generated.text.trim().to_owned());
        }
        let spans = self.cut(generated);
        let before = self.accepted.len();
        let read = self.accept_unsaid(generated, &spans);
        self.expect(generated, spans[..read].last().map_or(0, |span| span.bytes.end));
        let until_end = matches!(self.correction.steps, Steps::UntilEnd { .. });
        let ended = until_end && read == spans.len() && generated.finish != FinishReason::MaxTokens;
        if self.accepted.len() == before {
            self.stop(why_nothing(generated, &spans), generated);
        } else if self.is_last_step() {
            self.stop(StopReason::LastStep, generated);
        } else if ended {
            self.stop(StopReason::ModelEnded, generated);
        } else {
            self.prompt = self.opening() + " " + &self.answer_so_far();
        }
    }

    /// Notes what may come next: what the model wrote after what was accepted, or, if it was stopped there, what it
    /// was expected to write, less a unit.
    fn expect(&mut self, generated: &Generated, accepted: usize) {
        if generated.finish == FinishReason::Stopped {
            let first = self.spans(&self.expected).first().map_or(0, |span| span.bytes.end);
            self.expected.drain(..first);
        } else {
            generated.text[accepted..].clone_into(&mut self.expected);
        }
    }

    /// Accepts the first unit that has not been said, at the end perhaps all, and returns how many
    /// units were read for that.
    fn accept_unsaid(&mut self, generated: &Generated, spans: &[Span]) -> usize {
        let everything = self.is_last_step() && self.correction.last_step == LastStep::Everything;
        let mut repeats = 0;
        for (i, span) in spans.iter().enumerate() {
            if self.has_said(&generated.text[span.bytes.clone()]) {
                repeats += 1;
                continue;
            }
            self.push(generated, span, std::mem::take(&mut repeats));
            if !everything {
                return i + 1;
            }
        }
        spans.len()
    }

    fn is_last_step(&self) -> bool {
        self.taken == self.correction.most_steps()
    }

    /// The units of a text that say something, without one that breaks off because the text became
    /// too long.
    fn cut(&self, generated: &Generated) -> Vec<Span> {
        let mut spans = self.spans(&generated.text);
        let breaks_off = generated.finish == FinishReason::MaxTokens;
        if breaks_off && spans.last().is_some_and(|span| !span.complete) {
            spans.pop();
        }
        spans.retain(|span| !sentence::normalize(&generated.text[span.bytes.clone()]).is_empty());
        spans
    }

    fn spans(&self, text: &str) -> Vec<Span> {
        match self.correction.unit {
            Unit::Sentence => sentence::sentences(text),
            Unit::Paragraph => sentence::paragraphs(text),
        }
    }

    fn has_said(&self, text: &str) -> bool {
        let text = sentence::normalize(text);
        self.accepted.iter().any(|step| sentence::normalize(&step.text) == text)
    }

    fn push(&mut self, generated: &Generated, span: &Span, repeats_skipped: usize) {
        let log_prob = generated.log_prob(&span.bytes);
        self.accepted.push(CorrectionStep {
            step: self.taken,
            text: generated.text[span.bytes.clone()].to_owned(),
            log_prob: log_prob.map(|(sum, _)| sum),
            tokens: log_prob.map_or(0, |(_, count)| count),
            repeats_skipped,
            verdict: None,
        });
    }

    fn opening(&self) -> String {
        let question = &self.pair.question;
        match self.correction.style {
            PromptStyle::Vig => format!("{} Question: {question} Answer:", self.instruction),
            PromptStyle::Vic => question.clone(),
        }
    }

    fn answer_so_far(&self) -> String {
        let separator = match self.correction.unit {
            Unit::Sentence => " ",
            Unit::Paragraph => "\n\n",
        };
        self.accepted.iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join(separator)
    }

    fn stop(&mut self, reason: StopReason, generated: &Generated) {
        if self.accepted.is_empty() {
            self.reject(Rejection::NoCorrection(reason), generated);
        } else {
            self.state = State::Stopped(reason);
        }
    }

    fn reject(&mut self, reason: Rejection, generated: &Generated) {
        self.state = State::Rejected(Rejected { reason, text: generated.text.clone() });
    }
}

impl TextEnd for Vic {
    /// Whether the first unit that has not been said has ended, and nothing that follows can change where.
    fn is_enough(&self, text: &str) -> bool {
        let is_new = |span: &&Span| {
            let unit = &text[span.bytes.clone()];
            !sentence::normalize(unit).is_empty() && !self.has_said(unit)
        };
        let spans = self.spans(text);
        let Some(at) = spans.iter().position(|span| is_new(&span)) else { return false };
        match self.correction.unit {
            Unit::Sentence => sentence::is_settled(text, &spans, at),
            Unit::Paragraph => at + 1 < spans.len(),
        }
    }
}

/// Why a text held nothing to be accepted.
fn why_nothing(generated: &Generated, spans: &[Span]) -> StopReason {
    let says_something = !sentence::normalize(&generated.text).is_empty();
    match (spans.is_empty(), says_something) {
        (false, _) => StopReason::Repeated,
        (true, true) => StopReason::Truncated,
        (true, false) => StopReason::NothingGenerated,
    }
}

#[cfg(test)]
mod tests;
