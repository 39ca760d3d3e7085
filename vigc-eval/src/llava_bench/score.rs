//! What the judgements say about a model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::summary::{ALL, Summary};
use super::{LlavaBench, LlavaBenchError, Marks, Question, Review, samples};
use crate::interval::{Bootstrap, Estimate};
use crate::report::{Cell, Metric, Sample, Table, TableRow, Unit};

/// Marks of a category, with intervals over pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryScore {
    /// How many answers have marks.
    pub judged: usize,
    /// The mean mark of the reference answers.
    pub reference: Estimate,
    /// The mean mark of the model's answers.
    pub candidate: Estimate,
    /// The score: the model's mean in percent of the reference's.
    pub relative: Estimate,
}

/// What the judgements say about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// All questions.
    pub all: CategoryScore,
    /// The questions of each category.
    pub categories: BTreeMap<String, CategoryScore>,
    /// Judgements that could not be read; no mean has them.
    pub unparsed: usize,
    /// Questions without a judgement; no mean has them.
    pub unjudged: usize,
    /// Questions without an answer, if the answers are known. The judge was shown an empty one.
    pub missing: Option<usize>,
    samples: Vec<Sample>,
}

impl LlavaBench {
    /// The score of a model with these judgements; answers are shown beside them, and need not be known.
    ///
    /// # Errors
    ///
    /// [`LlavaBenchError`] if a judgement or an answer belongs to no question, or two judgements to the same.
    pub fn score(
        &self,
        reviews: &[Review],
        answers: Option<&HashMap<String, String>>,
    ) -> Result<Score, LlavaBenchError> {
        if let Some(answers) = answers {
            self.check(answers)?;
        }
        let reviews = self.by_question(reviews)?;
        let marks = |(question, review): (_, &Option<&Review>)| Some((question, (*review)?.marks?));
        let marked: Vec<(&Question, Marks)> =
            self.questions.iter().zip(&reviews).filter_map(marks).collect();
        let unjudged = reviews.iter().filter(|review| review.is_none()).count();
        Ok(Score {
            all: CategoryScore::new(&marked),
            categories: self.categories(&marked),
            unparsed: reviews.len() - unjudged - marked.len(),
            unjudged,
            missing: answers.map(|answers| self.questions.len() - answers.len()),
            samples: samples::worst(self, &reviews, answers),
        })
    }

    fn categories(&self, marked: &[(&Question, Marks)]) -> BTreeMap<String, CategoryScore> {
        let names: BTreeSet<&String> = self.questions.iter().map(|q| &q.category).collect();
        let of = |name: &String| {
            let marked = marked.iter().filter(|(question, _)| question.category == *name);
            CategoryScore::new(&marked.copied().collect::<Vec<_>>())
        };
        names.into_iter().map(|name| (name.clone(), of(name))).collect()
    }

    /// The judgement of each question.
    fn by_question<'a>(
        &self,
        reviews: &'a [Review],
    ) -> Result<Vec<Option<&'a Review>>, LlavaBenchError> {
        let positions = self.positions();
        let mut found = vec![None; self.questions.len()];
        for review in reviews {
            let id = || review.question_id.clone();
            let position = positions.get(review.question_id.as_str());
            let position =
                *position.ok_or_else(|| LlavaBenchError::UnknownQuestion { id: id() })?;
            if found[position].replace(review).is_some() {
                return Err(LlavaBenchError::SeveralReviews { id: id() });
            }
        }
        Ok(found)
    }
}

impl Score {
    /// The score as a report shows it; samples are worst first, at most 50.
    #[must_use]
    pub fn report_parts(&self) -> (Vec<Metric>, Vec<Table>, Vec<Sample>) {
        let rows = || {
            let categories = self.categories.iter().map(|(name, score)| (name.as_str(), score));
            [(ALL, &self.all)].into_iter().chain(categories)
        };
        let metric = |(name, score): (&str, &CategoryScore)| Metric {
            name: format!("LLaVA-Eval, {name}"),
            unit: Unit::Score,
            estimate: score.relative,
        };
        let marks = Table {
            title: "Marks".to_owned(),
            columns: ["relative", "model", "reference", "judged"].map(str::to_owned).into(),
            rows: rows().map(|(name, score)| score.row(name)).collect(),
        };
        (rows().map(metric).collect(), vec![marks, self.gaps()], self.samples.clone())
    }

    fn gaps(&self) -> Table {
        let row = |name: &str, count: usize| TableRow {
            name: name.to_owned(),
            cells: vec![Cell::Count(count as u64)],
        };
        let mut rows =
            vec![row("replies without marks", self.unparsed), row("not judged", self.unjudged)];
        rows.extend(self.missing.map(|missing| row("not answered, judged as empty", missing)));
        Table { title: "Gaps".to_owned(), columns: vec!["questions".to_owned()], rows }
    }
}

impl CategoryScore {
    fn new(marked: &[(&Question, Marks)]) -> Self {
        let mut pictures: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
        for (question, marks) in marked {
            let sums = pictures.entry(&question.image).or_default();
            for (sum, value) in sums.iter_mut().zip([marks.reference, marks.candidate, 1.0]) {
                *sum += value;
            }
        }
        let pictures: Vec<[f64; 3]> = pictures.into_values().collect();
        let marks: Vec<Marks> = marked.iter().map(|(_, marks)| *marks).collect();
        let summary = Summary::new(&marks);
        let estimate = |side: fn(Summary) -> Option<f64>| {
            let statistic = |sums| side(Summary::of_sums(sums)?);
            let interval = Bootstrap::default().estimate(&pictures, statistic);
            // The published order of summation: a sum by picture may be rounded elsewhere.
            Estimate { value: summary.and_then(side), ..interval }
        };
        Self {
            judged: marks.len(),
            reference: estimate(|summary| Some(summary.reference)),
            candidate: estimate(|summary| Some(summary.candidate)),
            relative: estimate(|summary| summary.relative),
        }
    }

    fn row(&self, name: &str) -> TableRow {
        let cell = |estimate| Cell::Estimate { unit: Unit::Score, estimate };
        let mut cells = [self.relative, self.candidate, self.reference].map(cell).to_vec();
        cells.push(Cell::Count(self.judged as u64));
        TableRow { name: name.to_owned(), cells }
    }
}
