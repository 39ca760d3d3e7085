//! Counts of the kept rows, from which the card is made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::Serialize;
use vigc_core::Result;
use vigc_core::json_lines::LineReader;

use super::contents::{
    About, Card, Corrections, Distribution, Example, ModelUse, RowCounts, RunRejections,
    TaskReport, TextCount,
};
use crate::curation::gates::GateSettings;
use crate::curation::rows::{LinePosition, Row, fingerprint, read_at};
use crate::prompt::Task;
use crate::vigc::diff::Verdict;
use crate::vigc::sentence;

/// How many first words and questions the card lists.
const LISTED: usize = 20;
/// How many rows of each task the card shows.
const EXAMPLES: usize = 2;

/// Counts of the kept rows.
///
/// They take 4 bytes of memory per row with a log-probability, and about 40 bytes per different question or picture.
#[derive(Debug, Default)]
pub(in crate::curation) struct Statistics {
    knowledge_rows: u64,
    pictures: HashSet<u64>,
    tasks: BTreeMap<Task, TaskCounts>,
    corrections: Corrections,
    log_probs: Vec<f32>,
    first_words: HashMap<String, u64>,
    /// For the hash of each question, the line that asks it first and the number of rows that ask it.
    questions: HashMap<u64, (LinePosition, u64)>,
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
    /// Counts a row, given the position of its line in the file of kept rows.
    pub(in crate::curation) fn add(&mut self, row: &Row, position: LinePosition) {
        let picture = fingerprint(&row.image());
        self.knowledge_rows += u64::from(matches!(row, Row::Knowledge(_)));
        self.pictures.insert(picture);
        self.tasks.entry(row.task()).or_default().add(row, picture);
        self.add_correction(row);
        self.log_probs.extend(row.log_prob_per_token());
        self.add_question(row, position);
        self.add_model(row);
        let examples = self.examples.entry(row.task()).or_default();
        if examples.len() < EXAMPLES {
            examples.push(example(row));
        }
    }

    fn add_question(&mut self, row: &Row, position: LinePosition) {
        let question = sentence::normalize(row.question());
        let first = question.split(' ').next().unwrap_or_default();
        match self.first_words.get_mut(first) {
            Some(count) => *count += 1,
            None => drop(self.first_words.insert(first.to_owned(), 1)),
        }
        self.questions.entry(fingerprint(&question)).or_insert((position, 0)).1 += 1;
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
        // Settings that were read from a row can be written again.
        let settings = row.settings().unwrap_or_default();
        let entry = self.models.entry(settings).or_insert_with_key(|settings| ModelUse {
            model: row.model().to_owned(),
            rows: 0,
            settings: serde_json::from_str(settings).unwrap_or_default(),
        });
        entry.rows += 1;
    }

    /// The number of questions with weighted short answers.
    pub(in crate::curation) fn knowledge_rows(&self) -> u64 {
        self.knowledge_rows
    }

    /// A card of the kept rows, whose file is `kept`. It says nothing about gates and exports yet.
    pub(in crate::curation) fn card(self, kept: &Path) -> Result<Card> {
        Ok(Card {
            about: About::default(),
            rows: RowCounts::default(),
            pictures: self.pictures.len() as u64,
            origin: RunRejections::default(),
            gates: Vec::new(),
            gate_settings: GateSettings::default(),
            tasks: self.tasks(),
            log_prob_per_token: self.log_prob_per_token(),
            first_words: self.first_words(),
            distinct_first_words: self.first_words.len() as u64,
            frequent_questions: self.frequent_questions(kept)?,
            distinct_questions: self.questions.len() as u64,
            models: self.models(),
            examples: self.examples.into_values().flatten().collect(),
            corrections: self.corrections,
            files: Vec::new(),
        })
    }

    /// The rows by task.
    fn tasks(&self) -> Vec<TaskReport> {
        self.tasks.iter().filter_map(|(task, counts)| counts.report(*task)).collect()
    }

    /// The log-probabilities per token.
    fn log_prob_per_token(&self) -> Option<Distribution> {
        let mut sorted = self.log_probs.clone();
        sorted.sort_by(f32::total_cmp);
        let numbers = sorted.into_iter().map(|number| (f64::from(number), 1));
        Distribution::of(&numbers.collect::<Vec<_>>())
    }

    /// The most frequent first words of questions.
    fn first_words(&self) -> Vec<TextCount> {
        let words = self.first_words.iter();
        let words = words.map(|(text, &rows)| TextCount { text: text.clone(), rows });
        let mut words = words.collect::<Vec<_>>();
        words.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.text.cmp(&b.text)));
        words.truncate(LISTED);
        words
    }

    /// The most frequent questions that occur more than once. Their texts are read from the kept rows.
    fn frequent_questions(&self, kept: &Path) -> Result<Vec<TextCount>> {
        let mut counts = self.questions.values().filter(|(_, rows)| *rows > 1).collect::<Vec<_>>();
        counts.sort_by_key(|(position, rows)| (Reverse(*rows), position.offset));
        let mut reader = LineReader::open(kept)?;
        let mut frequent = |&&(position, rows): &&(LinePosition, u64)| {
            let row = read_at(&mut reader, position)?;
            Ok(TextCount { text: row.question().to_owned(), rows })
        };
        counts.iter().take(LISTED).map(&mut frequent).collect()
    }

    /// The models and settings, the one with the most rows first.
    fn models(&self) -> Vec<ModelUse> {
        let mut models = self.models.values().cloned().collect::<Vec<_>>();
        models.sort_by_key(|model| Reverse(model.rows));
        models
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

/// The name of an enum's variant in JSON.
fn name_of(variant: &impl Serialize) -> String {
    let value = serde_json::to_value(variant).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
