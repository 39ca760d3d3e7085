//! What answers are worth: numbers, tables by kinds of questions and answers, and the worst
//! answers.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::{Question, VqaSuite};
use crate::interval::{Bootstrap, Estimate, ratio};
use crate::report::{Cell, Metric, Sample, SampleImage, Table, TableRow, Unit};

/// So many samples are shown.
const SAMPLES: usize = 50;

/// The answers to the questions of a suite, scored.
#[derive(Debug, Clone)]
pub struct Score<'a> {
    pub(super) suite: &'a VqaSuite,
    /// Every question that is scored, answered or not.
    pub scored: Vec<ScoredAnswer<'a>>,
    /// Questions that are not scored, since what people answered is secret or differs too much.
    pub left_out: usize,
}

/// An answer and how right it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredAnswer<'a> {
    /// The question.
    pub question: &'a Question,
    /// What it was compared with: people's answers and how many gave each, or the right choice.
    pub given: Cow<'a, [(String, f64)]>,
    /// The answer; a missing one is wrong.
    pub answer: Option<String>,
    /// How right it is by each rule of the suite, from 0 to 1.
    pub accuracies: Vec<f64>,
}

impl ScoredAnswer<'_> {
    /// How right the answer is by the suite's own rule.
    fn accuracy(&self) -> f64 {
        self.accuracies.first().copied().unwrap_or_default()
    }

    /// Whether it is an answer to a multiple-choice question, but none of the choices.
    fn is_no_choice(&self) -> bool {
        let choices = &self.question.choices;
        self.answer.as_ref().is_some_and(|answer| !choices.contains(answer))
    }
}

impl Score<'_> {
    /// Questions without an answer.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.scored.iter().filter(|scored| scored.answer.is_none()).count()
    }

    /// Answers to multiple-choice questions that are none of the choices; they are wrong.
    #[must_use]
    pub fn no_choices(&self) -> usize {
        let count = || self.scored.iter().filter(|scored| scored.is_no_choice()).count();
        if self.suite.is_choice() { count() } else { 0 }
    }

    /// Numbers with 95 % intervals from resampled pictures, tables by kind of question and of
    /// answer where the data set names them, and the worst answers.
    #[must_use]
    pub fn report_parts(&self) -> (Vec<Metric>, Vec<Table>, Vec<Sample>) {
        let tables = [
            self.table("by kind of question", |question| question.question_type.as_deref()),
            self.table("by kind of answer", |question| question.answer_type.as_deref()),
        ];
        (self.metrics(), tables.into_iter().flatten().collect(), self.samples())
    }

    fn metrics(&self) -> Vec<Metric> {
        let all = || self.scored.iter();
        let rules = self.suite.rules().iter().enumerate().map(|(rule, name)| Metric {
            name: name.to_string(),
            unit: Unit::Share,
            estimate: estimate(all(), |scored| scored.accuracies[rule]),
        });
        let mut counts = vec![
            ("questions", self.scored.len()),
            ("questions without an answer", self.missing()),
            ("questions that are not scored", self.left_out),
        ];
        if self.suite.is_choice() {
            counts.push(("answers that are no choice", self.no_choices()));
        }
        let counts = counts.into_iter().map(|(name, count)| Metric {
            name: name.to_owned(),
            unit: Unit::Count,
            estimate: Estimate { value: Some(count as f64), low: None, high: None },
        });
        rules.chain(counts).collect()
    }

    /// The suite's own accuracy for each kind, if kinds are named.
    fn table(&self, title: &str, kind: fn(&Question) -> Option<&str>) -> Option<Table> {
        let mut kinds: BTreeMap<&str, Vec<&ScoredAnswer<'_>>> = BTreeMap::new();
        for scored in &self.scored {
            if let Some(kind) = kind(scored.question) {
                kinds.entry(kind).or_default().push(scored);
            }
        }
        let row = |(kind, scored): (&str, Vec<&ScoredAnswer<'_>>)| TableRow {
            name: kind.to_owned(),
            cells: vec![
                Cell::Count(scored.len() as u64),
                Cell::Estimate {
                    unit: Unit::Share,
                    estimate: estimate(scored.into_iter(), ScoredAnswer::accuracy),
                },
            ],
        };
        let columns = ["questions", "accuracy"].map(str::to_owned).to_vec();
        let rows: Vec<_> = kinds.into_iter().map(row).collect();
        (!rows.is_empty()).then(|| Table { title: title.to_owned(), columns, rows })
    }

    /// The worst answers, missing ones behind those that are as bad.
    fn samples(&self) -> Vec<Sample> {
        let mut worst: Vec<_> = self.scored.iter().collect();
        worst.sort_by(|a, b| {
            let order = a.accuracy().total_cmp(&b.accuracy());
            order.then(a.answer.is_none().cmp(&b.answer.is_none()))
        });
        worst.into_iter().take(SAMPLES).map(|scored| self.sample(scored)).collect()
    }

    fn sample(&self, scored: &ScoredAnswer<'_>) -> Sample {
        let question = scored.question;
        let note = match (&scored.answer, self.suite.is_choice()) {
            (None, _) => "no answer".to_owned(),
            (Some(_), true) => format!("choices: {}", question.choices.join(", ")),
            (Some(_), false) => question.question_type.clone().unwrap_or_default(),
        };
        Sample {
            id: question.id.clone(),
            image: Some(SampleImage::File(self.suite.image(question))),
            question: question.question.clone(),
            expected: expected(&scored.given),
            answer: scored.answer.clone().unwrap_or_default(),
            score: scored.accuracy(),
            note,
        }
    }
}

/// What people answered, the most frequent first: `cab (4), taxi (2), bus`.
fn expected(given: &[(String, f64)]) -> String {
    let mut given: Vec<_> = given.iter().collect();
    given.sort_by(|a, b| b.1.total_cmp(&a.1));
    let answer = |(text, people): &&(String, f64)| match *people > 1.0 {
        true => format!("{text} ({people})"),
        false => text.clone(),
    };
    given.iter().map(answer).collect::<Vec<_>>().join(", ")
}

/// The mean over all answers; questions about one picture are resampled together.
fn estimate<'a>(
    scored: impl Iterator<Item = &'a ScoredAnswer<'a>>,
    accuracy: impl Fn(&ScoredAnswer<'a>) -> f64,
) -> Estimate {
    let mut places: HashMap<&Path, usize> = HashMap::new();
    let mut pictures: Vec<[f64; 2]> = Vec::new();
    for scored in scored {
        let place = *places.entry(&scored.question.image).or_insert(pictures.len());
        if place == pictures.len() {
            pictures.push([0.0; 2]);
        }
        pictures[place][0] += accuracy(scored);
        pictures[place][1] += 1.0;
    }
    Bootstrap::default().estimate(&pictures, |[right, all]| ratio(right, all))
}
