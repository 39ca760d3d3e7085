//! The accuracies of all answers, tables by kinds of questions and answers, and the worst answers.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::accuracy::Rule;
use super::question::Question;
use crate::interval::{Bootstrap, Estimate, ratio};
use crate::report::{Cell, Findings, MAX_SAMPLES, Metric, Sample, SampleImage, Table, TableRow};

/// The scored answers to the questions of a suite.
#[derive(Debug, Clone)]
pub struct Score<'a> {
    /// The answer to every question that is scored.
    pub scored: Vec<ScoredAnswer<'a>>,
    /// The number of questions that are not scored because people's answers are secret or differ too much.
    pub left_out: usize,
    pub(super) rules: &'static [Rule],
    pub(super) images: &'a Path,
    pub(super) is_choice: bool,
}

/// An answer with its accuracies.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredAnswer<'a> {
    /// The question.
    pub question: &'a Question,
    /// What the answer was compared with: people's answers and how many gave each, or the right choice.
    pub given: Cow<'a, [(String, f64)]>,
    /// The answer. A missing one is wrong.
    pub answer: Option<String>,
    /// The accuracy by each rule of the suite, from 0 to 1.
    pub accuracies: Vec<f64>,
}

impl ScoredAnswer<'_> {
    /// The accuracy by the suite's own rule.
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
    /// The number of questions without an answer.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.scored.iter().filter(|scored| scored.answer.is_none()).count()
    }

    /// The number of answers to multiple-choice questions that are none of the choices. They are wrong.
    #[must_use]
    pub fn no_choices(&self) -> usize {
        let count = || self.scored.iter().filter(|scored| scored.is_no_choice()).count();
        if self.is_choice { count() } else { 0 }
    }

    /// The accuracies with intervals over images, tables by kind of question and of answer if the data set has them,
    /// and the worst answers.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let tables = [
            self.table("by kind of question", |question| question.question_type.as_deref()),
            self.table("by kind of answer", |question| question.answer_type.as_deref()),
        ];
        let tables = tables.into_iter().flatten().collect();
        Findings { metrics: self.metrics(), tables, samples: self.samples(), details: None }
    }

    fn metrics(&self) -> Vec<Metric> {
        let accuracy = |(rule, name): (usize, &Rule)| {
            Metric::share(
                name.to_string(),
                estimate(&self.scored, |scored| scored.accuracies[rule]),
            )
        };
        let mut metrics: Vec<Metric> = self.rules.iter().enumerate().map(accuracy).collect();
        metrics.push(Metric::count("questions", self.scored.len()));
        metrics.push(Metric::count("questions without an answer", self.missing()));
        metrics.push(Metric::count("questions that are not scored", self.left_out));
        if self.is_choice {
            metrics.push(Metric::count("answers that are no choice", self.no_choices()));
        }
        metrics
    }

    /// The suite's own accuracy for each kind, if there are kinds.
    fn table(&self, title: &str, kind: fn(&Question) -> Option<&str>) -> Option<Table> {
        let mut kinds: BTreeMap<&str, Vec<&ScoredAnswer<'_>>> = BTreeMap::new();
        for scored in &self.scored {
            if let Some(kind) = kind(scored.question) {
                kinds.entry(kind).or_default().push(scored);
            }
        }
        let row = |(kind, scored): (&str, Vec<&ScoredAnswer<'_>>)| {
            let count = Cell::count(scored.len());
            TableRow::new(kind, [count, Cell::share(estimate(scored, ScoredAnswer::accuracy))])
        };
        let rows: Vec<_> = kinds.into_iter().map(row).collect();
        (!rows.is_empty()).then(|| Table::new(title, ["questions", "accuracy"], rows))
    }

    /// The worst answers. Missing ones come after given ones with the same accuracy.
    fn samples(&self) -> Vec<Sample> {
        let mut worst: Vec<_> = self.scored.iter().collect();
        worst.sort_by(|a, b| {
            let order = a.accuracy().total_cmp(&b.accuracy());
            order.then(a.answer.is_none().cmp(&b.answer.is_none()))
        });
        worst.into_iter().take(MAX_SAMPLES).map(|scored| self.sample(scored)).collect()
    }

    fn sample(&self, scored: &ScoredAnswer<'_>) -> Sample {
        let question = scored.question;
        let note = match (&scored.answer, self.is_choice) {
            (None, _) => "no answer".to_owned(),
            (Some(_), true) => format!("choices: {}", question.choices.join(", ")),
            (Some(_), false) => question.question_type.clone().unwrap_or_default(),
        };
        Sample {
            id: question.id.clone(),
            image: Some(SampleImage::File(self.images.join(&question.image))),
            question: question.question.clone(),
            expected: expected(&scored.given),
            answer: scored.answer.clone().unwrap_or_default(),
            score: scored.accuracy(),
            note,
        }
    }
}

/// People's answers, the most frequent first: `cab (4), taxi (2), bus`.
fn expected(given: &[(String, f64)]) -> String {
    let mut given: Vec<_> = given.iter().collect();
    given.sort_by(|a, b| b.1.total_cmp(&a.1));
    let answer = |(text, people): &&(String, f64)| match *people > 1.0 {
        true => format!("{text} ({people})"),
        false => text.clone(),
    };
    given.iter().map(answer).collect::<Vec<_>>().join(", ")
}

/// The mean over all answers. Questions about one image are resampled together.
fn estimate<'a>(
    scored: impl IntoIterator<Item = &'a ScoredAnswer<'a>>,
    accuracy: impl Fn(&ScoredAnswer<'a>) -> f64,
) -> Estimate {
    let mut places: HashMap<&Path, usize> = HashMap::new();
    let mut images: Vec<[f64; 2]> = Vec::new();
    for scored in scored {
        let place = *places.entry(&scored.question.image).or_insert(images.len());
        if place == images.len() {
            images.push([0.0; 2]);
        }
        images[place][0] += accuracy(scored);
        images[place][1] += 1.0;
    }
    Bootstrap::default().estimate(&images, |[right, all]| ratio(right, all))
}
