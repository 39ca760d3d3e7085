//! Whether the same was said before in nearly the same words.

mod index;
mod shingles;

use serde::{Deserialize, Serialize};

use self::index::SimilarSets;
use super::{Gate, Outcome};
use crate::curation::Row;
use crate::curation::fingerprint::fingerprint;

pub use shingles::{ShingleCounts, shingles};

/// The settings of [`NearDuplicates`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NearSettings {
    /// Whether the gate is on.
    pub enabled: bool,
    /// The Jaccard similarity of two rows' shingles, from 0 to 1, from which on they are alike.
    pub jaccard: f64,
    /// The most rows that are like another, about whatever pictures; about one picture, none is.
    pub most_alike: usize,
}

impl Default for NearSettings {
    fn default() -> Self {
        Self { enabled: true, jaccard: 0.8, most_alike: 32 }
    }
}

/// Drops rows like a kept row of the same picture, or like too many kept rows of others.
///
/// Two rows are alike if their [`shingles`] are. Every pair that reaches the threshold is found, by prefix filtering
/// (Chaudhuri et al., ICDE 2006; Bayardo et al., WWW 2007): of each row, only the rarest shingles are looked up, so
/// many of them that two alike rows must share one. Which are rare is counted over all rows beforehand.
///
/// # Memory
///
/// For a kept row of `w` words at most `4 w` bytes of shingles and about `20 ((1 - jaccard) w + 1)` bytes of index:
/// with the default threshold some 500 bytes for 60 words, 0.5 GB for a million such rows.
#[derive(Debug)]
pub struct NearDuplicates {
    settings: NearSettings,
    rows: SimilarSets,
    /// The picture of each row.
    pictures: Vec<u64>,
    counts: ShingleCounts,
    checked: (u64, Vec<u32>),
}

impl NearDuplicates {
    /// With these limits; `counts` are those of all rows' shingles.
    #[must_use]
    pub fn new(settings: NearSettings, counts: ShingleCounts) -> Self {
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
