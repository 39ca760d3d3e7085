//! Gates that compare a row with the rows that were kept before it.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::gate::{Gate, Outcome};
use super::similar_sets::SimilarSets;
use crate::curation::rows::{Row, fingerprint};
use crate::vigc::sentence;

/// The settings of [`ExactDuplicates`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExactDuplicateSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// Whether the same question about the same picture is kept only once, whatever the answers are.
    pub one_answer: bool,
    /// The largest number of rows with the same question and the same answer, whatever their pictures are.
    pub most_equal: usize,
}

impl Default for ExactDuplicateSettings {
    fn default() -> Self {
        Self { enabled: true, one_answer: true, most_equal: 16 }
    }
}

/// Drops rows that repeat a kept row about the same picture, and rows that repeat too many kept rows about any
/// pictures. Case and punctuation are ignored.
///
/// # Memory
///
/// About 60 bytes per kept row, for hashes of 64 bits. With ten million rows, the probability that two different rows
/// are taken for equal is one in 100 000.
#[derive(Debug)]
pub struct ExactDuplicates {
    settings: ExactDuplicateSettings,
    /// Hashes of picture and question.
    questions: HashSet<u64>,
    /// Hashes of picture, question and answer.
    rows: HashSet<u64>,
    /// Hashes of question and answer, with the number of rows.
    texts: HashMap<u64, u32>,
    /// The three hashes of the row that was checked last.
    checked: [u64; 3],
}

impl ExactDuplicates {
    /// A gate with these limits.
    #[must_use]
    pub fn new(settings: ExactDuplicateSettings) -> Self {
        Self {
            settings,
            questions: HashSet::new(),
            rows: HashSet::new(),
            texts: HashMap::new(),
            checked: [0; 3],
        }
    }
}

impl Gate for ExactDuplicates {
    fn check(&mut self, row: &Row) -> Outcome {
        let [question, answer] = [row.question(), row.answer()].map(sentence::normalize);
        let image = row.image();
        self.checked = [
            fingerprint(&(image, &question)),
            fingerprint(&(image, &question, &answer)),
            fingerprint(&(question, answer)),
        ];
        let [question, row, text] = self.checked;
        if self.rows.contains(&row) {
            return Outcome::dropped("same_row", "question and answer are those of another row");
        }
        if self.settings.one_answer && self.questions.contains(&question) {
            return Outcome::dropped("same_question", "the picture was asked this");
        }
        let equal = self.texts.get(&text).map_or(0, |&rows| rows as usize);
        if equal >= self.settings.most_equal {
            return Outcome::dropped("too_often", format!("{equal} other pictures have this row"));
        }
        Outcome::Passed
    }

    fn keep(&mut self, _row: &Row) {
        let [question, row, text] = self.checked;
        if self.settings.one_answer {
            self.questions.insert(question);
        }
        self.rows.insert(row);
        *self.texts.entry(text).or_default() += 1;
    }
}

/// The settings of [`NearDuplicates`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NearDuplicateSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// The Jaccard similarity of two rows' shingles at which the rows count as near duplicates, from 0 to 1.
    pub jaccard: f64,
    /// The largest number of near duplicates about different pictures. About the same picture, none is kept.
    pub most_alike: usize,
}

impl Default for NearDuplicateSettings {
    fn default() -> Self {
        Self { enabled: true, jaccard: 0.8, most_alike: 32 }
    }
}

/// Drops rows that are similar to a kept row about the same picture, or to too many kept rows about other pictures.
///
/// Two rows are similar if their [`shingles`] are. Every pair that reaches the threshold is found, by prefix filtering
/// (Chaudhuri et al., ICDE 2006; Bayardo et al., WWW 2007): only the rarest shingles of each row are looked up, just
/// enough of them that two similar rows must share one. How rare a shingle is is counted over all rows beforehand.
///
/// # Memory
///
/// For a kept row of `w` words, at most `4 w` bytes of shingles and about `20 ((1 - jaccard) w + 1)` bytes of index.
/// With the default threshold that is about 500 bytes for 60 words, or 0.5 GB for a million such rows.
#[derive(Debug)]
pub struct NearDuplicates {
    settings: NearDuplicateSettings,
    rows: SimilarSets,
    /// The picture of each row.
    pictures: Vec<u64>,
    counts: ShingleCounts,
    /// The picture and the shingles of the row that was checked last.
    checked: (u64, Vec<u32>),
}

impl NearDuplicates {
    /// A gate with these limits. `counts` are the shingle counts of all rows.
    #[must_use]
    pub fn new(settings: NearDuplicateSettings, counts: ShingleCounts) -> Self {
        Self {
            settings,
            rows: SimilarSets::new(settings.jaccard),
            pictures: Vec::new(),
            counts,
            checked: (0, Vec::new()),
        }
    }
}

impl Gate for NearDuplicates {
    fn check(&mut self, row: &Row) -> Outcome {
        let picture = fingerprint(&row.image());
        let set = shingles(row);
        let order = |shingle: u32| self.counts.of(shingle);
        let mut alike = 0;
        let mut outcome = Outcome::Passed;
        for (other, jaccard) in self.rows.similar(&set, order) {
            if self.pictures[other] == picture {
                let detail = format!("{jaccard:.2} like another row of the picture");
                outcome = Outcome::dropped("like_another", detail);
                break;
            }
            alike += 1;
            if alike >= self.settings.most_alike {
                let detail = format!("{jaccard:.2} or more like {alike} rows of other pictures");
                outcome = Outcome::dropped("like_many", detail);
                break;
            }
        }
        self.checked = (picture, set);
        outcome
    }

    fn keep(&mut self, _row: &Row) {
        let (picture, set) = std::mem::take(&mut self.checked);
        self.pictures.push(picture);
        self.rows.insert(&set, |shingle| self.counts.of(shingle));
    }
}

/// How many words a shingle has.
const WORDS: usize = 3;

/// The number of counters of [`ShingleCounts`], which take 16 MiB.
const COUNTERS: usize = 1 << 22;

/// The shingles of a row: hashes of all sequences of three words in its question and answer.
///
/// The question and the answer are read as one text in lower case, without punctuation. A text of fewer than three
/// words is one shingle. Hashes are in ascending order and occur once. They have 32 bits: two rows of 60
/// shingles each share a hash by accident once in a million pairs, which makes them look 1 % more similar than they are.
#[must_use]
pub fn shingles(row: &Row) -> Vec<u32> {
    let words = sentence::words(row.question()).chain(sentence::words(row.answer()));
    let words = words.collect::<Vec<_>>();
    let mut hashes = words
        .windows(WORDS.min(words.len()).max(1))
        .map(|run| fingerprint(&run) as u32)
        .collect::<Vec<_>>();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Approximate counts of how often each shingle occurs in a set of rows.
///
/// Shingles that share a counter are counted together. That makes [`NearDuplicates`] slower, but never changes what it
/// finds.
#[derive(Debug, Clone, Default)]
pub struct ShingleCounts {
    counters: Vec<u32>,
}

impl ShingleCounts {
    /// Counts the shingles of a row.
    pub fn add(&mut self, row: &Row) {
        self.counters.resize(COUNTERS, 0);
        for shingle in shingles(row) {
            let counter = &mut self.counters[shingle as usize % COUNTERS];
            *counter = counter.saturating_add(1);
        }
    }

    /// The count of a shingle; 0 if no row was counted.
    #[must_use]
    pub fn of(&self, shingle: u32) -> u32 {
        self.counters.get(shingle as usize % COUNTERS).copied().unwrap_or_default()
    }
}
