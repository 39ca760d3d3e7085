//! The measures, from each answer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::questions::{Label, Question};
use crate::interval::{Bootstrap, Estimate, ratio};

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The question's id in the suite.
    pub id: String,
    /// The question.
    pub question: Question,
    /// The picture's file.
    pub image: PathBuf,
    /// What the model answered; none if it did not.
    pub answer: Option<String>,
    /// What the answer says.
    pub said: Option<Label>,
}

impl Answered {
    /// Whether the answer is right; a missing one is wrong.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.said == Some(self.question.label)
    }
}

/// How many answers say what to which questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Yes, and the object is there.
    pub true_positives: usize,
    /// Yes, and it is not.
    pub false_positives: usize,
    /// No, and it is not there.
    pub true_negatives: usize,
    /// No, and it is.
    pub false_negatives: usize,
    /// No answer, and the object is there.
    pub missing_positives: usize,
    /// No answer, and it is not there.
    pub missing_negatives: usize,
}

/// True and false positives, true and false negatives, missing positives and negatives, of one picture or of
/// several.
type Sums = [f64; 6];

impl Confusion {
    fn add(&mut self, answer: &Answered) {
        let count = match (answer.said, answer.question.label) {
            (Some(Label::Yes), Label::Yes) => &mut self.true_positives,
            (Some(Label::Yes), Label::No) => &mut self.false_positives,
            (Some(Label::No), Label::No) => &mut self.true_negatives,
            (Some(Label::No), Label::Yes) => &mut self.false_negatives,
            (None, Label::Yes) => &mut self.missing_positives,
            (None, Label::No) => &mut self.missing_negatives,
        };
        *count += 1;
    }

    /// Answers that were not given.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing_positives + self.missing_negatives
    }

    fn sums(&self) -> Sums {
        let counts = [
            self.true_positives,
            self.false_positives,
            self.true_negatives,
            self.false_negatives,
            self.missing_positives,
            self.missing_negatives,
        ];
        counts.map(|count| count as f64)
    }
}

fn accuracy([tp, fp, tn, fneg, lost_p, lost_n]: Sums) -> Option<f64> {
    ratio(tp + tn, tp + fp + tn + fneg + lost_p + lost_n)
}

fn precision([tp, fp, _, _, _, lost_n]: Sums) -> Option<f64> {
    ratio(tp, tp + fp + lost_n)
}

fn recall([tp, _, _, fneg, lost_p, _]: Sums) -> Option<f64> {
    ratio(tp, tp + fneg + lost_p)
}

fn f1(sums: Sums) -> Option<f64> {
    let (precision, recall) = (precision(sums)?, recall(sums)?);
    ratio(2.0 * precision * recall, precision + recall)
}

fn yes_ratio([tp, fp, tn, fneg, ..]: Sums) -> Option<f64> {
    ratio(tp + fp, tp + fp + tn + fneg)
}

/// What was found on one set of questions. Intervals resample pictures, with all of their questions.
///
/// A missing answer is wrong: where the object is there, it is not found; where it is not, it is as if the
/// answer were yes. Only the ratio of yes leaves it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetScore {
    /// The name of the set.
    pub name: String,
    /// The questions with their answers.
    pub answers: Vec<Answered>,
}

impl SetScore {
    /// Right answers.
    #[must_use]
    pub fn accuracy(&self) -> Estimate {
        self.estimate(accuracy)
    }

    /// The part of what is said to be there that is there.
    #[must_use]
    pub fn precision(&self) -> Estimate {
        self.estimate(precision)
    }

    /// The part of what is there that is said to be there.
    #[must_use]
    pub fn recall(&self) -> Estimate {
        self.estimate(recall)
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> Estimate {
        self.estimate(f1)
    }

    /// The part of the answers that say yes; half of them should.
    #[must_use]
    pub fn yes_ratio(&self) -> Estimate {
        self.estimate(yes_ratio)
    }

    /// The answers counted.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let mut all = Confusion::default();
        self.answers.iter().for_each(|answer| all.add(answer));
        all
    }

    fn estimate(&self, statistic: impl Fn(Sums) -> Option<f64>) -> Estimate {
        let mut pictures: BTreeMap<&str, Confusion> = BTreeMap::new();
        for answer in &self.answers {
            pictures.entry(&answer.question.image).or_default().add(answer);
        }
        let pictures: Vec<Sums> = pictures.values().map(Confusion::sums).collect();
        Bootstrap::default().estimate(&pictures, statistic)
    }
}

/// What POPE found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Each set of questions.
    pub sets: Vec<SetScore>,
}
