//! Whether the same was said before.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Gate, Outcome};
use crate::curation::Row;
use crate::curation::fingerprint::fingerprint;
use crate::vigc::sentence;

/// The settings of [`ExactDuplicates`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExactSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// Whether a question is asked about a picture once, whatever the answers.
    pub one_answer: bool,
    /// The most rows with the same question and answer, about whatever pictures.
    pub most_equal: usize,
}

impl Default for ExactSettings {
    fn default() -> Self {
        Self { enabled: true, one_answer: true, most_equal: 16 }
    }
}

/// Drops rows that say what a kept row says, case and punctuation aside: about the same picture, or, too
/// often, about any.
///
/// # Memory
///
/// Hashes of 64 bits, about 60 bytes for every kept row. Among ten million rows, any two different ones are taken for
/// equal with a probability of one in 100 000.
#[derive(Debug)]
pub struct ExactDuplicates {
    settings: ExactSettings,
    asked: HashSet<u64>,
    said: HashSet<u64>,
    anywhere: HashMap<u64, u32>,
    checked: [u64; 3],
}

impl ExactDuplicates {
    /// With these limits.
    #[must_use]
    pub fn new(settings: ExactSettings) -> Self {
        Self {
            settings,
            asked: HashSet::new(),
            said: HashSet::new(),
            anywhere: HashMap::new(),
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
        let [asked, said, anywhere] = self.checked;
        if self.said.contains(&said) {
            return Outcome::dropped("same_row", "question and answer are those of another row");
        }
        if self.settings.one_answer && self.asked.contains(&asked) {
            return Outcome::dropped("same_question", "the picture was asked this");
        }
        let equal = self.anywhere.get(&anywhere).map_or(0, |&rows| rows as usize);
        if equal >= self.settings.most_equal {
            return Outcome::dropped("too_often", format!("{equal} other pictures have this row"));
        }
        Outcome::Passed
    }

    fn keep(&mut self, _row: &Row) {
        let [asked, said, anywhere] = self.checked;
        if self.settings.one_answer {
            self.asked.insert(asked);
        }
        self.said.insert(said);
        *self.anywhere.entry(anywhere).or_default() += 1;
    }
}
