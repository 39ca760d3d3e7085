//! What a correction changed: sentences against sentences, and words against words.

use serde::{Deserialize, Serialize};

use super::sentence;

/// What became of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The draft said the same in the same words.
    Kept,
    /// The draft said something like it.
    Changed,
    /// The draft did not say it.
    New,
    /// Only the draft said it.
    Dropped,
}

/// What became of one sentence of a draft, or where one of the corrected answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentenceChange {
    /// Kept, changed, new or dropped.
    pub verdict: Verdict,
    /// The draft's sentence, unless it is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub draft: Option<String>,
    /// The corrected answer's sentence, unless it was dropped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corrected: Option<String>,
}

/// Aligns the sentences of two texts in order.
///
/// ```
/// use vigc_pipeline::vigc::diff::{Verdict, sentence_changes};
///
/// let changes = sentence_changes("It is a red cat. It sits.", "It is a black cat. It sits.");
/// assert!(changes.iter().map(|c| c.verdict).eq([Verdict::Changed, Verdict::Kept]));
/// ```
#[must_use]
pub fn sentence_changes(draft: &str, corrected: &str) -> Vec<SentenceChange> {
    let cut = |text: &str| {
        let spans = sentence::sentences(text).into_iter();
        spans.map(|span| text[span.bytes].to_owned()).collect::<Vec<_>>()
    };
    sentence_list_changes(&cut(draft), &cut(corrected))
}

/// Aligns two lists of sentences in order. Every sentence appears in exactly one change.
#[must_use]
pub fn sentence_list_changes(draft: &[String], corrected: &[String]) -> Vec<SentenceChange> {
    let words = |list: &[String]| {
        list.iter().map(|text| sentence::words(text).collect()).collect::<Vec<Vec<String>>>()
    };
    let (old, new) = (words(draft), words(corrected));
    let pairs = align(old.len(), new.len(), |i, j| similarity(&old[i], &new[j]));
    let change = |pair: &(Option<usize>, Option<usize>)| SentenceChange {
        verdict: match *pair {
            (Some(i), Some(j)) if old[i] == new[j] => Verdict::Kept,
            (Some(_), Some(_)) => Verdict::Changed,
            (None, _) => Verdict::New,
            (Some(_), None) => Verdict::Dropped,
        },
        draft: pair.0.map(|i| draft[i].clone()),
        corrected: pair.1.map(|j| corrected[j].clone()),
    };
    pairs.iter().map(change).collect()
}

/// A word of one text or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordChange<'a> {
    /// In both.
    Kept(&'a str),
    /// Only in the old text.
    Removed(&'a str),
    /// Only in the new text.
    Added(&'a str),
}

/// Aligns the words of two texts; removed words come before those that replace them.
#[must_use]
pub fn word_changes<'a>(old: &'a str, new: &'a str) -> Vec<WordChange<'a>> {
    let [old, new] = [old, new].map(|text| text.split_whitespace().collect::<Vec<_>>());
    let pairs = align(old.len(), new.len(), |i, j| f32::from(u8::from(old[i] == new[j])));
    let change = |&(i, j): &(Option<usize>, Option<usize>)| match (i, j) {
        (Some(_), Some(j)) => Some(WordChange::Kept(new[j])),
        (None, Some(j)) => Some(WordChange::Added(new[j])),
        (Some(i), None) => Some(WordChange::Removed(old[i])),
        (None, None) => None,
    };
    pairs.iter().filter_map(change).collect()
}

/// Two sentences that share fewer of their words than this are different sentences.
const LIKENESS: f32 = 0.5;

/// Shared words over all words (Dice's coefficient of the multisets), 0 below [`LIKENESS`].
fn similarity(a: &[String], b: &[String]) -> f32 {
    if a == b {
        return 1.0;
    }
    let mut rest = b.iter().collect::<Vec<_>>();
    let shared = a.iter().filter(|word| {
        let found = rest.iter().position(|other| other == word);
        found.map(|at| rest.swap_remove(at)).is_some()
    });
    let similarity = 2.0 * shared.count() as f32 / (a.len() + b.len()) as f32;
    // Equal words in another order must still weigh less than an equal sentence.
    if similarity < LIKENESS { 0.0 } else { similarity * 0.99 }
}

/// The alignment in order that pairs items of the largest summed likeness. Items of likeness 0 are
/// never paired; what is removed comes before what is added in its place.
fn align(
    old: usize,
    new: usize,
    likeness: impl Fn(usize, usize) -> f32,
) -> Vec<(Option<usize>, Option<usize>)> {
    // best[i][j]: of the items from i and from j on.
    let mut best = vec![vec![0.0_f32; new + 1]; old + 1];
    for i in (0..old).rev() {
        for j in (0..new).rev() {
            let skip = best[i + 1][j].max(best[i][j + 1]);
            best[i][j] = skip.max(likeness(i, j) + best[i + 1][j + 1]);
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::with_capacity(old.max(new));
    while i < old || j < new {
        let paired = i < old && j < new && {
            let likeness = likeness(i, j);
            likeness > 0.0 && likeness + best[i + 1][j + 1] >= best[i + 1][j].max(best[i][j + 1])
        };
        let (step_old, step_new) = if paired {
            (true, true)
        } else {
            let remove = i < old && (j == new || best[i + 1][j] >= best[i][j + 1]);
            (remove, !remove)
        };
        pairs.push((step_old.then_some(i), step_new.then_some(j)));
        i += usize::from(step_old);
        j += usize::from(step_new);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_kept_changed_added_and_dropped() {
        let draft = "It is a red cat. There is a dog. It sits on the mat.";
        let corrected = "It is a black cat. It sits on the mat! The sky is blue.";
        let changes = sentence_changes(draft, corrected);
        let verdicts = changes.iter().map(|change| change.verdict);
        assert!(
            verdicts.eq([Verdict::Changed, Verdict::Dropped, Verdict::Kept, Verdict::New]),
            "{changes:?}"
        );
        assert_eq!(changes[0].draft.as_deref(), Some("It is a red cat."));
        assert_eq!(changes[0].corrected.as_deref(), Some("It is a black cat."));
        assert_eq!((&changes[1].corrected, &changes[3].draft), (&None, &None));
    }

    #[test]
    fn every_sentence_appears_once() {
        for (draft, corrected) in [("", ""), ("A.", ""), ("", "B."), ("A b. C d.", "C d. A b.")] {
            let changes = sentence_changes(draft, corrected);
            let join = |part: fn(&SentenceChange) -> Option<&String>| {
                changes.iter().filter_map(part).cloned().collect::<Vec<_>>().join(" ")
            };
            assert_eq!(join(|c| c.draft.as_ref()), draft);
            assert_eq!(join(|c| c.corrected.as_ref()), corrected);
        }
    }

    #[test]
    fn words_are_aligned() {
        use WordChange::{Added, Kept, Removed};
        let changes = word_changes("a red cat sits", "a black cat sits down");
        let expected =
            [Kept("a"), Removed("red"), Added("black"), Kept("cat"), Kept("sits"), Added("down")];
        assert_eq!(changes, expected);
    }
}
