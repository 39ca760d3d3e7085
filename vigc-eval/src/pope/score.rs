//! Reading answers, and the measures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::questions::{Label, Question};
use crate::interval::{Bootstrap, Estimate, ratio};
use crate::report::{Cell, Findings, MAX_SAMPLES, Metric, Sample, SampleImage, Table, TableRow};

/// Yes or no, as the upstream program's `evaluate.py` reads an answer: no if the first sentence has the word `No`, `no`
/// or `not`, else yes.
///
/// The first sentence ends at the first full stop, commas are removed, and only spaces separate words. So `No!`, `NO` and
/// `isn't` mean yes.
#[must_use]
pub fn parse(answer: &str) -> Label {
    let sentence = answer.split('.').next().unwrap_or_default().replace(',', "");
    let says_no = sentence.split(' ').any(|word| matches!(word, "No" | "no" | "not"));
    if says_no { Label::No } else { Label::Yes }
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The question's id in the suite.
    pub id: String,
    /// The question.
    pub question: Question,
    /// The image's path.
    pub image: PathBuf,
    /// The model's answer; none if it is missing.
    pub answer: Option<String>,
    /// What the answer means.
    pub said: Option<Label>,
}

impl Answered {
    /// Whether the answer is right. A missing answer is wrong.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.said == Some(self.question.label)
    }

    fn sample(&self) -> Sample {
        let note = match self.said {
            Some(said) => format!("read as {}", said.name()),
            None => "no answer".to_owned(),
        };
        Sample {
            id: self.id.clone(),
            image: Some(SampleImage::File(self.image.clone())),
            question: self.question.text.clone(),
            expected: self.question.label.name().to_owned(),
            answer: self.answer.clone().unwrap_or_default(),
            score: 0.0,
            note,
        }
    }
}

/// Counts of answers by meaning and right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// The answer is yes, and the object is present.
    pub true_positives: usize,
    /// The answer is yes, but the object is absent.
    pub false_positives: usize,
    /// The answer is no, and the object is absent.
    pub true_negatives: usize,
    /// The answer is no, but the object is present.
    pub false_negatives: usize,
    /// There is no answer, and the object is present.
    pub missing_positives: usize,
    /// There is no answer, and the object is absent.
    pub missing_negatives: usize,
}

/// True and false positives, true and false negatives, and missing positives and negatives.
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

    /// The number of missing answers.
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

/// The measures of one set of questions. Intervals are over images.
///
/// A missing answer is wrong: it counts as no if the object is present, and as yes if it is absent. Only the ratio of yes
/// leaves it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetScore {
    /// The name of the set.
    pub name: String,
    /// The questions with their answers.
    pub answers: Vec<Answered>,
}

impl SetScore {
    /// The share of right answers.
    #[must_use]
    pub fn accuracy(&self) -> Estimate {
        self.estimate(accuracy)
    }

    /// The share of yes answers whose object is present.
    #[must_use]
    pub fn precision(&self) -> Estimate {
        self.estimate(precision)
    }

    /// The share of present objects whose answer is yes.
    #[must_use]
    pub fn recall(&self) -> Estimate {
        self.estimate(recall)
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> Estimate {
        self.estimate(f1)
    }

    /// The share of yes answers; half of the right answers are yes.
    #[must_use]
    pub fn yes_ratio(&self) -> Estimate {
        self.estimate(yes_ratio)
    }

    /// The counts of the answers.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let mut all = Confusion::default();
        self.answers.iter().for_each(|answer| all.add(answer));
        all
    }

    fn row(&self) -> TableRow {
        TableRow::new(
            &self.name,
            [
                Cell::count(self.answers.len()),
                Cell::count(self.confusion().missing()),
                Cell::share(self.accuracy()),
                Cell::share(self.precision()),
                Cell::share(self.recall()),
                Cell::share(self.f1()),
                Cell::share(self.yes_ratio()),
            ],
        )
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

/// POPE of a set of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Each set of questions.
    pub sets: Vec<SetScore>,
}

impl Score {
    /// Accuracy and F1 of each set, a table of all measures, and wrong answers of the sets in turn.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let tables = vec![self.by_set()];
        Findings { metrics: self.metrics(), tables, samples: self.wrong(), details: None }
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for set in &self.sets {
            metrics.push(Metric::share(format!("accuracy, {}", set.name), set.accuracy()));
            metrics.push(Metric::share(format!("F1, {}", set.name), set.f1()));
        }
        let missing = self.sets.iter().map(|set| set.confusion().missing()).sum();
        metrics.push(Metric::count("missing answers", missing));
        metrics
    }

    fn by_set(&self) -> Table {
        let columns =
            ["questions", "missing", "accuracy", "precision", "recall", "F1", "yes ratio"];
        Table::new("By set", columns, self.sets.iter().map(SetScore::row))
    }

    fn wrong(&self) -> Vec<Sample> {
        let mut sets: Vec<_> = self
            .sets
            .iter()
            .map(|set| set.answers.iter().filter(|answer| !answer.is_right()))
            .collect();
        let mut samples = Vec::new();
        while samples.len() < MAX_SAMPLES {
            let before = samples.len();
            samples.extend(sets.iter_mut().filter_map(Iterator::next).map(Answered::sample));
            if samples.len() == before {
                break;
            }
        }
        samples.truncate(MAX_SAMPLES);
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_decides() {
        let cases = [
            ("No", Label::No),
            ("no, there is none", Label::No),
            ("There is not a cat.", Label::No),
            ("Yes. There is no dog.", Label::Yes),
            ("No,there is none", Label::Yes),
            ("NO", Label::Yes),
            ("No!", Label::Yes),
            ("There isn't", Label::Yes),
            ("I know nothing", Label::Yes),
            ("It is\nno cat", Label::Yes),
            (". No", Label::Yes),
            ("", Label::Yes),
        ];
        for (answer, expected) in cases {
            assert_eq!(parse(answer), expected, "{answer:?}");
        }
    }
}
