//! Counts of the kept rows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::Serialize;

use super::{Corrections, Distribution, Example, Frequent, ModelUse, TaskReport};
use crate::Result;
use crate::curation::Row;
use crate::curation::fingerprint::fingerprint;
use crate::curation::rows::{open, row_at};
use crate::prompt::Task;
use crate::vigc::diff::Verdict;
use crate::vigc::sentence;

/// First words and questions that are listed.
const LISTED: usize = 20;
/// Rows of each task that are shown.
const EXAMPLES: usize = 2;

/// Counts of the kept rows.
///
/// Per row it remembers a number for its log-probability, and per different question or picture some 40 bytes.
#[derive(Debug, Default)]
pub(in crate::curation) struct Statistics {
    rows: u64,
    knowledge_rows: u64,
    pictures: HashSet<u64>,
    tasks: BTreeMap<Task, TaskCounts>,
    corrections: Corrections,
    log_probs: Vec<f32>,
    first_words: HashMap<String, u64>,
    /// For a question's hash, where it is first asked, and how often.
    questions: HashMap<u64, (u64, u64)>,
    models: BTreeMap<String, ModelUse>,
    examples: BTreeMap<Task, Vec<Example>>,
}

#[derive(Debug, Default)]
struct TaskCounts {
    rows: u64,
    pictures: HashSet<u64>,
    question_words: BTreeMap<usize, u64>,
    answer_words: BTreeMap<usize, u64>,
    answer_sentences: BTreeMap<usize, u64>,
}

impl Statistics {
    /// Counts a row, whose line begins at this byte of the file of kept rows.
    pub(in crate::curation) fn add(&mut self, row: &Row, offset: u64) {
        let picture = fingerprint(&row.image());
        self.rows += 1;
        self.knowledge_rows += u64::from(matches!(row, Row::Knowledge(_)));
        self.pictures.insert(picture);
        self.tasks.entry(row.task()).or_default().add(row, picture);
        self.add_correction(row);
        self.log_probs.extend(row.log_prob_per_token());
        self.add_question(row, offset);
        self.add_model(row);
        let examples = self.examples.entry(row.task()).or_default();
        if examples.len() < EXAMPLES {
            examples.push(example(row));
        }
    }

    fn add_question(&mut self, row: &Row, offset: u64) {
        let question = sentence::normalize(row.question());
        let first = question.split(' ').next().unwrap_or_default();
        match self.first_words.get_mut(first) {
            Some(count) => *count += 1,
            None => drop(self.first_words.insert(first.to_owned(), 1)),
        }
        self.questions.entry(fingerprint(&question)).or_insert((offset, 0)).1 += 1;
    }

    fn add_correction(&mut self, row: &Row) {
        let Row::Instruction(sample) = row else { return };
        *self.corrections.stops.entry(name_of(&sample.stop)).or_default() += 1;
        let Some(changes) = row.changes() else { return };
        let counts = &mut self.corrections;
        counts.corrected += 1;
        counts.changed += u64::from(sample.is_changed());
        for change in changes {
            *match change.verdict {
                Verdict::Kept => &mut counts.kept_sentences,
                Verdict::Changed => &mut counts.changed_sentences,
                Verdict::New => &mut counts.added_sentences,
                Verdict::Dropped => &mut counts.removed_sentences,
            } += 1;
        }
    }

    fn add_model(&mut self, row: &Row) {
        // What was read as settings can be written as such.
        let settings = row.settings().unwrap_or_default();
        let entry = self.models.entry(settings).or_insert_with_key(|settings| ModelUse {
            model: row.model().to_owned(),
            rows: 0,
            settings: serde_json::from_str(settings).unwrap_or_default(),
        });
        entry.rows += 1;
    }

    /// How many rows there are.
    pub(in crate::curation) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many questions with weighted short answers there are.
    pub(in crate::curation) fn knowledge_rows(&self) -> u64 {
        self.knowledge_rows
    }

    /// How many different pictures there are.
    pub(in crate::curation) fn pictures(&self) -> u64 {
        self.pictures.len() as u64
    }

    /// How many different questions there are.
    pub(super) fn distinct_questions(&self) -> u64 {
        self.questions.len() as u64
    }

    /// How many different first words there are.
    pub(super) fn distinct_first_words(&self) -> u64 {
        self.first_words.len() as u64
    }

    /// What the correction did.
    pub(super) fn corrections(&self) -> Corrections {
        self.corrections.clone()
    }

    /// The rows of each task.
    pub(super) fn tasks(&self) -> Vec<TaskReport> {
        self.tasks.iter().filter_map(|(task, counts)| counts.report(*task)).collect()
    }

    /// Log-probabilities per token.
    pub(super) fn log_prob_per_token(&self) -> Option<Distribution> {
        let mut sorted = self.log_probs.clone();
        sorted.sort_by(f32::total_cmp);
        let numbers = sorted.into_iter().map(|number| (f64::from(number), 1));
        Distribution::of(&numbers.collect::<Vec<_>>())
    }

    /// The most frequent first words of questions.
    pub(super) fn first_words(&self) -> Vec<Frequent> {
        let words = self.first_words.iter();
        let words = words.map(|(text, &rows)| Frequent { text: text.clone(), rows });
        let mut words = words.collect::<Vec<_>>();
        words.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.text.cmp(&b.text)));
        words.truncate(LISTED);
        words
    }

    /// The questions that come most often, of those that come more than once; their texts are read from the kept rows.
    pub(super) fn frequent_questions(&self, kept: &Path) -> Result<Vec<Frequent>> {
        let mut counts = self.questions.values().filter(|(_, rows)| *rows > 1).collect::<Vec<_>>();
        counts.sort_by_key(|(offset, rows)| (u64::MAX - rows, *offset));
        let mut file = open(kept)?;
        let mut frequent = |&&(offset, rows): &&(u64, u64)| {
            let row = row_at(&mut file, kept, offset)?;
            Ok(Frequent { text: row.question().to_owned(), rows })
        };
        counts.iter().take(LISTED).map(&mut frequent).collect()
    }

    /// Models and settings, the most used first.
    pub(super) fn models(&self) -> Vec<ModelUse> {
        let mut models = self.models.values().cloned().collect::<Vec<_>>();
        models.sort_by_key(|model| u64::MAX - model.rows);
        models
    }

    /// The first rows of each task.
    pub(super) fn examples(&self) -> Vec<Example> {
        self.examples.values().flatten().cloned().collect()
    }
}

impl TaskCounts {
    fn add(&mut self, row: &Row, picture: u64) {
        self.rows += 1;
        self.pictures.insert(picture);
        let words = |text: &str| sentence::words(text).count();
        let sentences = sentence::sentences(row.answer()).len();
        *self.question_words.entry(words(row.question())).or_default() += 1;
        *self.answer_words.entry(words(row.answer())).or_default() += 1;
        *self.answer_sentences.entry(sentences).or_default() += 1;
    }

    fn report(&self, task: Task) -> Option<TaskReport> {
        let distribution = |counts: &BTreeMap<usize, u64>| {
            let numbers = counts.iter().map(|(&number, &times)| (number as f64, times));
            Distribution::of(&numbers.collect::<Vec<_>>())
        };
        Some(TaskReport {
            task,
            rows: self.rows,
            pictures: self.pictures.len() as u64,
            question_words: distribution(&self.question_words)?,
            answer_words: distribution(&self.answer_words)?,
            answer_sentences: distribution(&self.answer_sentences)?,
        })
    }
}

fn example(row: &Row) -> Example {
    Example {
        image_id: row.image_id().to_owned(),
        task: row.task(),
        question: row.question().to_owned(),
        draft: row.draft().to_owned(),
        answer: row.answer().to_owned(),
    }
}

/// The name that a variant has in JSON.
fn name_of(variant: &impl Serialize) -> String {
    let value = serde_json::to_value(variant).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
