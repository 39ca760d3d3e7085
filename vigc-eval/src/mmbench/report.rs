//! Scores as numbers with intervals: overall and by ability.

use std::collections::BTreeSet;

use super::{Ability, QuestionScore, Score, Verdict};
use crate::interval::{Bootstrap, Estimate, ratio, wilson};
use crate::report::{Cell, Metric, Sample, Table, TableRow, Unit};

impl Score {
    /// The parts of the benchmark that the questions are in, by name.
    #[must_use]
    pub fn splits(&self) -> Vec<Option<&str>> {
        let splits = self.questions.iter().map(|question| question.split.as_deref());
        splits.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The numbers that MMBench is known by, for each of its parts; a table by ability for each
    /// part; and the worst questions.
    #[must_use]
    pub fn report_parts(&self) -> (Vec<Metric>, Vec<Table>, Vec<Sample>) {
        let (mut metrics, mut tables) = (Vec::new(), Vec::new());
        for split in self.splits() {
            let of_split = |question: &&QuestionScore| question.split.as_deref() == split;
            let questions: Vec<&QuestionScore> = self.questions.iter().filter(of_split).collect();
            let part = split.map(|split| format!(" ({split})")).unwrap_or_default();
            metrics.extend(Shares::of(&questions).metrics(&part));
            tables.push(abilities(&questions, &part));
        }
        let counts = [
            ("answers missing", self.count(Verdict::Missing)),
            ("answers that cannot be read", self.unresolved.len()),
            ("answers that mean no option", self.count(Verdict::Neither)),
            ("questions without a key, left out", self.without_key),
        ];
        metrics.extend(counts.map(|(name, count)| Metric {
            name: name.to_owned(),
            unit: Unit::Count,
            estimate: Estimate { value: Some(count as f64), low: None, high: None },
        }));
        (metrics, tables, self.samples.clone())
    }
}

/// The three ways to count what is right.
struct Shares {
    /// Questions that are right in all orders.
    circular: Estimate,
    /// Questions that are right in their first order.
    first: Estimate,
    /// Orders that are right; those of one question err together, so questions are resampled.
    every: Estimate,
}

impl Shares {
    fn of(questions: &[&QuestionScore]) -> Self {
        let count = |is_right: fn(&QuestionScore) -> bool| {
            questions.iter().filter(|question| is_right(question)).count()
        };
        let orders: Vec<[f64; 2]> = questions
            .iter()
            .map(|question| [question.right() as f64, question.rounds.len() as f64])
            .collect();
        Self {
            circular: wilson(count(QuestionScore::is_right), questions.len()),
            first: wilson(count(QuestionScore::is_first_right), questions.len()),
            every: Bootstrap::default().estimate(&orders, |[right, all]| ratio(right, all)),
        }
    }

    fn metrics(&self, part: &str) -> [Metric; 3] {
        let metric = |name: &str, estimate| Metric {
            name: format!("{name}{part}"),
            unit: Unit::Share,
            estimate,
        };
        [
            metric("circular accuracy", self.circular),
            metric("vanilla accuracy", self.first),
            metric("vanilla accuracy of all orders", self.every),
        ]
    }
}

fn abilities(questions: &[&QuestionScore], part: &str) -> Table {
    let mut rows = vec![row("overall", questions)];
    let names = |level: fn(&QuestionScore) -> Option<&str>| {
        let names = questions.iter().filter_map(|question| level(question));
        names.collect::<BTreeSet<_>>()
    };
    let of = |level: fn(&QuestionScore) -> Option<&str>, name: &str| {
        let is_of = |question: &&QuestionScore| level(question) == Some(name);
        row(name, &questions.iter().copied().filter(is_of).collect::<Vec<_>>())
    };
    let mut coarse: Vec<&str> = names(ability).into_iter().collect();
    let published = |name: &&str| Ability::ALL.iter().position(|known| known.name() == *name);
    coarse.sort_by_key(|name| published(name).unwrap_or(Ability::ALL.len()));
    rows.extend(coarse.into_iter().map(|name| of(ability, name)));
    rows.extend(names(category).into_iter().map(|name| of(category, name)));
    let columns = ["circular", "vanilla", "vanilla, all orders", "questions"];
    Table {
        title: format!("MMBench by ability{part}"),
        columns: columns.map(str::to_owned).into(),
        rows,
    }
}

fn ability(question: &QuestionScore) -> Option<&str> {
    question.ability.as_deref()
}

fn category(question: &QuestionScore) -> Option<&str> {
    question.category.as_deref()
}

fn row(name: &str, questions: &[&QuestionScore]) -> TableRow {
    let shares = Shares::of(questions);
    let share = |estimate| Cell::Estimate { unit: Unit::Share, estimate };
    let cells = [shares.circular, shares.first, shares.every].map(share).into_iter();
    let cells = cells.chain([Cell::Count(questions.len() as u64)]).collect();
    TableRow { name: name.to_owned(), cells }
}
