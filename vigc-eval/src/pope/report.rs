//! How the measures are shown.

use super::score::{Answered, Score, SetScore};
use crate::interval::Estimate;
use crate::report::{Cell, Metric, Sample, SampleImage, Table, TableRow, Unit};

/// How many samples are shown.
const MOST_SAMPLES: usize = 50;

impl Score {
    /// Numbers, a table by set and wrong answers, the sets in turn.
    #[must_use]
    pub fn report_parts(&self) -> (Vec<Metric>, Vec<Table>, Vec<Sample>) {
        (self.metrics(), vec![self.by_set()], self.wrong())
    }

    fn metrics(&self) -> Vec<Metric> {
        let share = |name: String, estimate| Metric { name, unit: Unit::Share, estimate };
        let mut metrics = Vec::new();
        for set in &self.sets {
            metrics.push(share(format!("accuracy, {}", set.name), set.accuracy()));
            metrics.push(share(format!("F1, {}", set.name), set.f1()));
        }
        let missing: usize = self.sets.iter().map(|set| set.confusion().missing()).sum();
        metrics.push(Metric {
            name: "missing answers".to_owned(),
            unit: Unit::Count,
            estimate: Estimate { value: Some(missing as f64), low: None, high: None },
        });
        metrics
    }

    fn by_set(&self) -> Table {
        let columns =
            ["questions", "missing", "accuracy", "precision", "recall", "F1", "yes ratio"];
        Table {
            title: "By set".to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: self.sets.iter().map(row).collect(),
        }
    }

    fn wrong(&self) -> Vec<Sample> {
        let mut sets: Vec<_> = self
            .sets
            .iter()
            .map(|set| set.answers.iter().filter(|answer| !answer.is_right()))
            .collect();
        let mut samples = Vec::new();
        while samples.len() < MOST_SAMPLES {
            let before = samples.len();
            samples.extend(sets.iter_mut().filter_map(Iterator::next).map(sample));
            if samples.len() == before {
                break;
            }
        }
        samples.truncate(MOST_SAMPLES);
        samples
    }
}

fn row(set: &SetScore) -> TableRow {
    let share = |estimate| Cell::Estimate { unit: Unit::Share, estimate };
    TableRow {
        name: set.name.clone(),
        cells: vec![
            Cell::Count(set.answers.len() as u64),
            Cell::Count(set.confusion().missing() as u64),
            share(set.accuracy()),
            share(set.precision()),
            share(set.recall()),
            share(set.f1()),
            share(set.yes_ratio()),
        ],
    }
}

fn sample(answer: &Answered) -> Sample {
    let note = match answer.said {
        Some(said) => format!("read as {}", said.name()),
        None => "no answer".to_owned(),
    };
    Sample {
        id: answer.id.clone(),
        image: Some(SampleImage::File(answer.image.clone())),
        question: answer.question.text.clone(),
        expected: answer.question.label.name().to_owned(),
        answer: answer.answer.clone().unwrap_or_default(),
        score: 0.0,
        note,
    }
}
