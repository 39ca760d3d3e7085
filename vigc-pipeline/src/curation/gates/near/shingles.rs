//! Rows as sets of runs of words.

use crate::curation::Row;
use crate::curation::fingerprint::fingerprint;
use crate::vigc::sentence;

/// How many words a shingle has.
const WORDS: usize = 3;

/// Counters of [`ShingleCounts`]: 16 MiB.
const COUNTERS: usize = 1 << 22;

/// The runs of three words of a row's question and answer, as one text in lower case and without punctuation:
/// hashes in ascending order, each once. A shorter text is one run.
///
/// Hashes have 32 bits. Two rows of 60 different shingles each share a hash by accident once in a million, and are
/// then taken for 1 % more alike than they are.
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

/// About how often each shingle comes in a set of rows. Shingles that share a counter are taken for one, which costs time
/// later on, never a pair.
#[derive(Debug, Clone, Default)]
pub struct ShingleCounts {
    counters: Vec<u32>,
}

impl ShingleCounts {
    /// Counts a row's shingles.
    pub fn add(&mut self, row: &Row) {
        self.counters.resize(COUNTERS, 0);
        for shingle in shingles(row) {
            let counter = &mut self.counters[shingle as usize % COUNTERS];
            *counter = counter.saturating_add(1);
        }
    }

    /// The count of a shingle; 0 if nothing was counted.
    #[must_use]
    pub fn of(&self, shingle: u32) -> u32 {
        self.counters.get(shingle as usize % COUNTERS).copied().unwrap_or_default()
    }
}
