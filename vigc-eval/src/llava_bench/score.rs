//! The score of a model, from the judgments of its answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bench::{LlavaBench, Question};
use super::review::{ALL, Review, ScorePair, Summary};
use crate::error::{Error, Result};
use crate::interval::{Bootstrap, Estimate};
use crate::report::{Cell, Findings, MAX_SAMPLES, Metric, Sample, SampleImage, Table, TableRow};

/// The best score.
const BEST: f64 = 10.0;

/// Mean scores of a category, with intervals over images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryScore {
    /// The number of answers with scores.
    pub judged: usize,
    /// The mean score of the reference answers.
    pub reference: Estimate,
    /// The mean score of the model's answers.
    pub candidate: Estimate,
    /// The model's mean in percent of the reference's, which is the published number.
    pub relative: Estimate,
}

/// LLaVA-Eval of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// All questions.
    pub all: CategoryScore,
    /// The questions of each category.
    pub categories: BTreeMap<String, CategoryScore>,
    /// The number of judgments that could not be read. No mean includes them.
    pub unparsed: usize,
    /// The number of questions without a judgment. No mean includes them.
    pub unjudged: usize,
    /// The number of questions without an answer, if the answers are known. The judge saw an empty one.
    pub missing: Option<usize>,
    samples: Vec<Sample>,
}

impl LlavaBench {
    /// The score of a model with these judgments. The answers are only shown in samples.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownQuestion`] if a judgment or an answer belongs to no question, [`Error::JudgedTwice`] if a question has
    /// two judgments.
    pub fn score(
        &self,
        reviews: &[Review],
        answers: Option<&HashMap<String, String>>,
    ) -> Result<Score> {
        if let Some(answers) = answers {
            self.check(answers.keys())?;
        }
        let reviews = self.by_question(reviews)?;
        let pair = |(question, review): (_, &Option<&Review>)| Some((question, (*review)?.scores?));
        let scored: Vec<(&Question, ScorePair)> =
            self.questions().iter().zip(&reviews).filter_map(pair).collect();
        let unjudged = reviews.iter().filter(|review| review.is_none()).count();
        Ok(Score {
            all: CategoryScore::new(&scored),
            categories: self.categories(&scored),
            unparsed: reviews.len() - unjudged - scored.len(),
            unjudged,
            missing: answers.map(|answers| self.questions().len() - answers.len()),
            samples: self.worst(&reviews, answers),
        })
    }

    fn categories(&self, scored: &[(&Question, ScorePair)]) -> BTreeMap<String, CategoryScore> {
        let names: BTreeSet<&String> = self.questions().iter().map(|q| &q.category).collect();
        let of = |name: &String| {
            let scored = scored.iter().filter(|(question, _)| question.category == *name);
            CategoryScore::new(&scored.copied().collect::<Vec<_>>())
        };
        names.into_iter().map(|name| (name.clone(), of(name))).collect()
    }

    /// The judgment of each question.
    fn by_question<'a>(&self, reviews: &'a [Review]) -> Result<Vec<Option<&'a Review>>> {
        self.check(reviews.iter().map(|review| &review.question_id))?;
        let positions = self.positions();
        let mut found = vec![None; self.questions().len()];
        for review in reviews {
            let position = positions[review.question_id.as_str()];
            if found[position].replace(review).is_some() {
                return Err(Error::JudgedTwice { id: review.question_id.clone() });
            }
        }
        Ok(found)
    }

    /// The answers with the lowest scores, followed by those without.
    fn worst(
        &self,
        reviews: &[Option<&Review>],
        answers: Option<&HashMap<String, String>>,
    ) -> Vec<Sample> {
        let answer = |question: &Question| answers?.get(&question.id).cloned();
        let pairs = self.questions().iter().zip(reviews);
        let judged = pairs.filter_map(|(question, review)| Some((question, (*review)?)));
        let mut samples: Vec<Sample> = judged
            .map(|(question, review)| Sample {
                image: Some(SampleImage::File(self.image(question))),
                answer: answer(question).unwrap_or_default(),
                ..sample(question, review)
            })
            .collect();
        samples.sort_by(|one, other| one.score.total_cmp(&other.score));
        samples.truncate(MAX_SAMPLES);
        samples
    }
}

impl Score {
    /// The relative score of each category, tables, and the answers with the lowest scores.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let rows = || {
            let categories = self.categories.iter().map(|(name, score)| (name.as_str(), score));
            [(ALL, &self.all)].into_iter().chain(categories)
        };
        let metric = |(name, score): (&str, &CategoryScore)| {
            Metric::score(format!("LLaVA-Eval, {name}"), score.relative)
        };
        let columns = ["relative", "model", "reference", "judged"];
        let scores = Table::new("Scores", columns, rows().map(|(name, score)| score.row(name)));
        Findings {
            metrics: rows().map(metric).collect(),
            tables: vec![scores, self.gaps()],
            samples: self.samples.clone(),
            details: None,
        }
    }

    fn gaps(&self) -> Table {
        let row = |name: &str, count: usize| TableRow::new(name, [Cell::count(count)]);
        let mut rows =
            vec![row("replies without scores", self.unparsed), row("not judged", self.unjudged)];
        rows.extend(self.missing.map(|missing| row("not answered, judged as empty", missing)));
        Table::new("Gaps", ["questions"], rows)
    }
}

impl CategoryScore {
    fn new(scored: &[(&Question, ScorePair)]) -> Self {
        let mut images: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
        for (question, pair) in scored {
            let sums = images.entry(&question.image).or_default();
            for (sum, value) in sums.iter_mut().zip([pair.reference, pair.candidate, 1.0]) {
                *sum += value;
            }
        }
        let images: Vec<[f64; 3]> = images.into_values().collect();
        let pairs: Vec<ScorePair> = scored.iter().map(|(_, pair)| *pair).collect();
        let summary = Summary::new(&pairs);
        let estimate = |side: fn(Summary) -> Option<f64>| {
            let statistic = |sums| side(Summary::of_sums(sums)?);
            let interval = Bootstrap::default().estimate(&images, statistic);
            // The sum in upstream's order: sums by image can round differently.
            Estimate { value: summary.and_then(side), ..interval }
        };
        Self {
            judged: pairs.len(),
            reference: estimate(|summary| Some(summary.reference)),
            candidate: estimate(|summary| Some(summary.candidate)),
            relative: estimate(|summary| summary.relative),
        }
    }

    fn row(&self, name: &str) -> TableRow {
        let cells = [self.relative, self.candidate, self.reference].map(Cell::score).into_iter();
        TableRow::new(name, cells.chain([Cell::count(self.judged)]))
    }
}

fn sample(question: &Question, review: &Review) -> Sample {
    let (score, note) = match review.scores {
        Some(pair) => {
            let said = review.content.split_once('\n').map_or("", |(_, said)| said.trim());
            let note = format!("{} (reference {}): {said}", pair.candidate, pair.reference);
            (pair.candidate / BEST, note)
        }
        None => (1.0, format!("no scores: {}", review.content)),
    };
    Sample {
        id: question.id.clone(),
        image: None,
        question: question.text.clone(),
        expected: question.reference.clone(),
        answer: String::new(),
        score,
        note,
    }
}
