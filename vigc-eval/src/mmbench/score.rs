//! What the answers are worth, question by question.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Ability, Entry, Template};
use crate::report::{Sample, SampleImage};

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It means the right option.
    Right,
    /// It means another one.
    Wrong(char),
    /// It means none of the options.
    Neither,
    /// Exact matching cannot tell what it means, which counts as wrong.
    Unresolved,
    /// There is none, which counts as wrong.
    Missing,
}

impl Verdict {
    /// Whether the question may still turn out to be answered rightly.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Right | Self::Unresolved)
    }
}

/// One order of a question's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundScore {
    /// The row's index.
    pub id: String,
    /// What its answer is worth.
    pub verdict: Verdict,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionScore {
    /// The index of its first row.
    pub index: u64,
    /// The part of the benchmark that it is in.
    pub split: Option<String>,
    /// Its ability at level L-2, abbreviated as published, or as the table says.
    pub ability: Option<String>,
    /// Its ability at level L-3.
    pub category: Option<String>,
    /// All orders of its options, the first one first.
    pub rounds: Vec<RoundScore>,
}

impl QuestionScore {
    pub(super) fn new(first: &Entry, rounds: Vec<RoundScore>) -> Self {
        let ability = Ability::of(first.l2_category.as_deref(), first.category.as_deref());
        let ability = ability.map(|ability| ability.name().to_owned());
        Self {
            index: first.index,
            split: first.split.clone(),
            ability: ability.or_else(|| first.l2_category.clone()),
            category: first.category.clone(),
            rounds,
        }
    }

    /// How many orders are answered rightly.
    #[must_use]
    pub fn right(&self) -> usize {
        self.rounds.iter().filter(|round| round.verdict == Verdict::Right).count()
    }

    /// Whether all orders are answered rightly, as CircularEval asks.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.right() == self.rounds.len()
    }

    /// Whether the first order is answered rightly.
    #[must_use]
    pub fn is_first_right(&self) -> bool {
        self.rounds.first().is_some_and(|round| round.verdict == Verdict::Right)
    }
}

/// An answer that exact matching cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The row's index.
    pub id: String,
    /// What was asked.
    pub prompt: String,
    /// What was answered.
    pub answer: String,
    /// Whether the question still depends on it: no other order is answered wrongly.
    pub decides: bool,
}

/// What the answers are worth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// The questions, in the table's order.
    pub questions: Vec<QuestionScore>,
    /// Answers that exact matching cannot read.
    pub unresolved: Vec<Unresolved>,
    /// Questions that were left out because their right option is kept secret.
    pub without_key: usize,
    /// Questions to look at, worst first.
    pub samples: Vec<Sample>,
}

/// How many questions a report shows.
const SAMPLES: usize = 50;

impl Score {
    /// How many answers have a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let rounds = self.questions.iter().flat_map(|question| &question.rounds);
        rounds.filter(|round| round.verdict == verdict).count()
    }

    pub(super) fn add(
        &mut self,
        question: QuestionScore,
        rows: &[&Entry],
        answers: &HashMap<String, String>,
        template: Template,
    ) {
        self.samples.push(sample(&question, rows, answers, template));
        self.questions.push(question);
    }

    pub(super) fn keep_worst_samples(&mut self) {
        self.samples.sort_by(|a, b| a.score.total_cmp(&b.score));
        self.samples.truncate(SAMPLES);
    }
}

/// A question in the first order that is not answered rightly.
fn sample(
    question: &QuestionScore,
    rows: &[&Entry],
    answers: &HashMap<String, String>,
    template: Template,
) -> Sample {
    let wrong = question.rounds.iter().position(|round| round.verdict != Verdict::Right);
    let (round, entry) = (&question.rounds[wrong.unwrap_or(0)], rows[wrong.unwrap_or(0)]);
    let expected = entry.answer.map_or(String::new(), |letter| {
        format!("{letter}. {}", entry.option(letter).unwrap_or_default())
    });
    let reading = match round.verdict {
        Verdict::Right => "right".to_owned(),
        Verdict::Wrong(letter) => format!("read as {letter}"),
        Verdict::Neither => "read as none of the options".to_owned(),
        Verdict::Unresolved => "cannot be read".to_owned(),
        Verdict::Missing => "no answer".to_owned(),
    };
    let (right, orders) = (question.right(), question.rounds.len());
    Sample {
        id: round.id.clone(),
        image: Some(SampleImage::Encoded(Arc::clone(&entry.picture))),
        question: template.prompt(entry),
        expected,
        answer: answers.get(&round.id).cloned().unwrap_or_default(),
        score: right as f64 / orders as f64,
        note: format!("{reading}; right in {right} of {orders} orders"),
    }
}
