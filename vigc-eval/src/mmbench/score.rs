//! The score of the answers: question by question, overall, and by ability.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::asking::Template;
use super::table::Entry;
use crate::interval::{Bootstrap, Estimate, ratio, wilson};
use crate::report::{Cell, Findings, MAX_SAMPLES, Metric, Sample, SampleImage, Table, TableRow};

/// An ability at level L-2. Each has two to five finer abilities, L-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// Logic reasoning.
    LogicReasoning,
    /// Attribute reasoning.
    AttributeReasoning,
    /// Relation reasoning.
    RelationReasoning,
    /// Fine-grained perception of a single instance.
    SinglePerception,
    /// Fine-grained perception across instances.
    CrossPerception,
    /// Coarse perception.
    CoarsePerception,
}

impl Ability {
    /// All abilities, in the order of the published tables.
    pub const ALL: [Self; 6] = [
        Self::LogicReasoning,
        Self::AttributeReasoning,
        Self::RelationReasoning,
        Self::SinglePerception,
        Self::CrossPerception,
        Self::CoarsePerception,
    ];

    /// The published abbreviation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LogicReasoning => "LR",
            Self::AttributeReasoning => "AR",
            Self::RelationReasoning => "RR",
            Self::SinglePerception => "FP-S",
            Self::CrossPerception => "FP-C",
            Self::CoarsePerception => "CP",
        }
    }

    /// The name in the column `l2-category`.
    #[must_use]
    pub fn category(self) -> &'static str {
        match self {
            Self::LogicReasoning => "logic_reasoning",
            Self::AttributeReasoning => "attribute_reasoning",
            Self::RelationReasoning => "relation_reasoning",
            Self::SinglePerception => "finegrained_perception (instance-level)",
            Self::CrossPerception => "finegrained_perception (cross-instance)",
            Self::CoarsePerception => "coarse_perception",
        }
    }

    /// The finer abilities by their names in the column `category` (MMBench, `samples/README.md`).
    #[must_use]
    pub fn parts(self) -> &'static [&'static str] {
        match self {
            Self::LogicReasoning => {
                &["future_prediction", "structuralized_imagetext_understanding"]
            }
            Self::AttributeReasoning => {
                &["function_reasoning", "identity_reasoning", "physical_property_reasoning"]
            }
            Self::RelationReasoning => &["nature_relation", "physical_relation", "social_relation"],
            Self::SinglePerception => {
                &["attribute_recognition", "celebrity_recognition", "object_localization", "ocr"]
            }
            Self::CrossPerception => {
                &["action_recognition", "attribute_comparison", "spatial_relationship"]
            }
            Self::CoarsePerception => {
                &["image_emotion", "image_quality", "image_scene", "image_style", "image_topic"]
            }
        }
    }

    /// The ability of a row: that of its column `l2-category`, or else that of its `category`.
    #[must_use]
    pub fn of(l2_category: Option<&str>, category: Option<&str>) -> Option<Self> {
        let is_meant = |ability: &Self| match (l2_category, category) {
            (Some(name), _) => name == ability.category(),
            (None, Some(name)) => ability.parts().contains(&name),
            (None, None) => false,
        };
        Self::ALL.into_iter().find(is_meant)
    }
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It means the right option.
    Right,
    /// It means another option.
    Wrong(char),
    /// It means none of the options.
    Neither,
    /// Exact matching cannot read it. This counts as wrong.
    Unresolved,
    /// The answer is missing. This counts as wrong.
    Missing,
}

impl Verdict {
    /// Whether the question can still turn out to be right.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Right | Self::Unresolved)
    }
}

/// The score of one order of a question's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundScore {
    /// The row's index.
    pub id: String,
    /// What the answer is worth.
    pub verdict: Verdict,
}

/// The score of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionScore {
    /// The index of the question's first row.
    pub index: u64,
    /// The split.
    pub split: Option<String>,
    /// The ability at level L-2, by its published abbreviation, or else as in the table.
    pub ability: Option<String>,
    /// The ability at level L-3.
    pub category: Option<String>,
    /// All orders of the options, the first order first.
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

    /// The number of orders with a right answer.
    #[must_use]
    pub fn right(&self) -> usize {
        self.rounds.iter().filter(|round| round.verdict == Verdict::Right).count()
    }

    /// Whether the answers are right in all orders, as CircularEval requires.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.right() == self.rounds.len()
    }

    /// Whether the answer is right in the first order.
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
    /// The prompt.
    pub prompt: String,
    /// The answer.
    pub answer: String,
    /// Whether the question depends on it: the answers in the other orders are not wrong.
    pub decides: bool,
}

/// MMBench of a set of answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// The questions, in the order of the table.
    pub questions: Vec<QuestionScore>,
    /// Answers that exact matching cannot read.
    pub unresolved: Vec<Unresolved>,
    /// The number of questions that were left out because their right option is secret.
    pub without_key: usize,
    /// Questions to look at, the worst first.
    pub samples: Vec<Sample>,
}

impl Score {
    /// The number of answers with this verdict.
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
        self.samples.truncate(MAX_SAMPLES);
    }
}

/// A question in the first order whose answer is not right.
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
        image: Some(SampleImage::Encoded(Arc::clone(&entry.image))),
        question: template.prompt(entry),
        expected,
        answer: answers.get(&round.id).cloned().unwrap_or_default(),
        score: right as f64 / orders as f64,
        note: format!("{reading}; right in {right} of {orders} orders"),
    }
}

impl Score {
    /// The splits of the questions, sorted by name.
    #[must_use]
    pub fn splits(&self) -> Vec<Option<&str>> {
        let splits = self.questions.iter().map(|question| question.split.as_deref());
        splits.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The accuracies and a table by ability for each split, and the worst questions.
    #[must_use]
    pub fn findings(&self) -> Findings {
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
        metrics.extend(counts.map(|(name, count)| Metric::count(name, count)));
        Findings { metrics, tables, samples: self.samples.clone(), details: None }
    }
}

/// The three ways to count right answers.
struct Shares {
    /// The share of questions that are right in all orders.
    circular: Estimate,
    /// The share of questions that are right in their first order.
    first: Estimate,
    /// The share of right orders, with an interval over questions.
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
        let metric = |name: &str, estimate| Metric::share(format!("{name}{part}"), estimate);
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
    Table::new(format!("MMBench by ability{part}"), columns, rows)
}

fn ability(question: &QuestionScore) -> Option<&str> {
    question.ability.as_deref()
}

fn category(question: &QuestionScore) -> Option<&str> {
    question.category.as_deref()
}

fn row(name: &str, questions: &[&QuestionScore]) -> TableRow {
    let shares = Shares::of(questions);
    let cells = [shares.circular, shares.first, shares.every].map(Cell::share).into_iter();
    TableRow::new(name, cells.chain([Cell::count(questions.len())]))
}
