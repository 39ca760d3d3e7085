//! What the suite found, with 95 % intervals.

use std::collections::BTreeMap;

use serde::Serialize;

use super::suite::Suite;
use super::tally::{AnswerCounts, DialogueTally, PictureCounts, Tally, VqaCounts};
use crate::interval::{Bootstrap, Estimate, ratio, wilson};

/// Everything that the suite found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The settings.
    pub suite: Suite,
    /// `test`, and `unseen` for combinations that training never showed.
    pub splits: BTreeMap<String, SplitReport>,
}

/// What was found on one split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// Each kind of dialogue.
    pub dialogues: BTreeMap<String, DialogueReport>,
    /// All kinds together.
    pub overall: DialogueReport,
    /// Short questions.
    pub vqa: VqaReport,
}

/// What was found on one kind of dialogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DialogueReport {
    /// Pictures times kinds of dialogue.
    pub images: usize,
    /// The part of them for which VIG wrote a question and an answer.
    pub valid_rows: Estimate,
    /// VIG's questions.
    pub questions: QuestionReport,
    /// VIG's drafts.
    pub vig: AnswerReport,
    /// VIC's corrections.
    pub vic: AnswerReport,
    /// The answers at once.
    pub one_shot: AnswerReport,
    /// False sentences of VIC as a part of VIG's, resampled together.
    pub vic_over_vig: Estimate,
    /// VIC's share of false sentences less VIG's, resampled together.
    pub vic_minus_vig: Estimate,
    /// False sentences of the answers at once as a part of VIG's.
    pub one_shot_over_vig: Estimate,
    /// False sentences of VIC as a part of those of the answers at once.
    pub vic_over_one_shot: Estimate,
    /// VIC's share of false sentences less that of the answers at once.
    pub vic_minus_one_shot: Estimate,
}

/// VIG's questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuestionReport {
    /// Different questions.
    pub distinct: usize,
    /// Different questions as a part of the pictures.
    pub distinct_share: Option<f64>,
    /// The part that takes for granted only what is there, once.
    pub sound: Estimate,
    /// The part that takes something for granted that is not there.
    pub missing: Estimate,
    /// The part that names something that is there several times.
    pub ambiguous: Estimate,
    /// The part that the grammar does not have.
    pub unparsed: Estimate,
}

/// The answers of one writer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerReport {
    /// Sentences in all.
    pub sentences: usize,
    /// Sentences of an answer.
    pub sentences_per_answer: Option<f64>,
    /// Statements in a sentence, which tells whether a writer errs less by saying less.
    pub claims_per_sentence: Option<f64>,
    /// The share of sentences that are false or not understood.
    pub false_sentences: Estimate,
    /// The share of sentences that are not understood.
    pub unparsed_sentences: Estimate,
}

/// Short questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VqaReport {
    /// Questions in all.
    pub questions: usize,
    /// The part that was answered right.
    pub accuracy: Estimate,
    /// The same for each kind of question.
    pub kinds: BTreeMap<String, Estimate>,
}

pub(super) fn split_report(tally: &Tally, bootstrap: Bootstrap) -> SplitReport {
    let mut dialogues = BTreeMap::new();
    for (dialogue, counts) in &tally.dialogues {
        dialogues.insert(dialogue.name().to_owned(), dialogue_report(&[counts], bootstrap));
    }
    let all: Vec<&DialogueTally> = tally.dialogues.values().collect();
    SplitReport { dialogues, overall: dialogue_report(&all, bootstrap), vqa: vqa_report(tally) }
}

/// One or several kinds of dialogue on the same pictures; a picture's answers are resampled as one.
fn dialogue_report(tallies: &[&DialogueTally], bootstrap: Bootstrap) -> DialogueReport {
    let images: usize = tallies.iter().map(|tally| tally.pictures.len()).sum();
    let pictures: Vec<PictureCounts> = merged(tallies);
    let valid = tallies.iter().flat_map(|tally| &tally.pictures).flatten().count();
    let part = |count: fn(&DialogueTally) -> usize| {
        wilson(tallies.iter().map(|tally| count(tally)).sum(), valid)
    };
    let distinct = tallies.iter().map(|tally| tally.questions.len()).sum();
    let questions = QuestionReport {
        distinct,
        distinct_share: ratio(distinct as f64, images as f64),
        sound: part(|tally| tally.sound),
        missing: part(|tally| tally.missing),
        ambiguous: part(|tally| tally.ambiguous),
        unparsed: part(|tally| tally.unparsed),
    };
    let answers = |writer: Writer| answer_report(&pictures, writer, valid, bootstrap);
    let over = |a: Writer, b: Writer| compared(&pictures, a, b, bootstrap, ratio);
    let minus = |a: Writer, b: Writer| compared(&pictures, a, b, bootstrap, |a, b| Some(a - b));
    DialogueReport {
        images,
        valid_rows: wilson(valid, images),
        questions,
        vig: answers(|counts| counts.vig),
        vic: answers(|counts| counts.vic),
        one_shot: answers(|counts| counts.once),
        vic_over_vig: over(|counts| counts.vic, |counts| counts.vig),
        vic_minus_vig: minus(|counts| counts.vic, |counts| counts.vig),
        one_shot_over_vig: over(|counts| counts.once, |counts| counts.vig),
        vic_over_one_shot: over(|counts| counts.vic, |counts| counts.once),
        vic_minus_one_shot: minus(|counts| counts.vic, |counts| counts.once),
    }
}

/// One of the three answers about a picture.
type Writer = fn(&PictureCounts) -> AnswerCounts;

/// The counts of each picture, summed over the kinds of dialogue.
fn merged(tallies: &[&DialogueTally]) -> Vec<PictureCounts> {
    let count = tallies.iter().map(|tally| tally.pictures.len()).max().unwrap_or(0);
    let picture = |index: usize| {
        let counts =
            tallies.iter().filter_map(|tally| tally.pictures.get(index).copied().flatten());
        counts.fold(PictureCounts::default(), |sum, more| PictureCounts {
            vig: added(sum.vig, more.vig),
            vic: added(sum.vic, more.vic),
            once: added(sum.once, more.once),
        })
    };
    (0..count).map(picture).collect()
}

fn added(one: AnswerCounts, other: AnswerCounts) -> AnswerCounts {
    AnswerCounts {
        sentences: one.sentences + other.sentences,
        wrong: one.wrong + other.wrong,
        unparsed: one.unparsed + other.unparsed,
        claims: one.claims + other.claims,
    }
}

fn answer_report(
    pictures: &[PictureCounts],
    writer: Writer,
    answers: usize,
    bootstrap: Bootstrap,
) -> AnswerReport {
    let all: AnswerCounts = pictures.iter().map(writer).fold(AnswerCounts::default(), added);
    let share = |count: fn(&AnswerCounts) -> usize| {
        let rows: Vec<[f64; 2]> = (pictures.iter().map(writer))
            .map(|counts| [count(&counts) as f64, counts.sentences as f64])
            .collect();
        bootstrap.estimate(&rows, |[part, total]| ratio(part, total))
    };
    AnswerReport {
        sentences: all.sentences,
        sentences_per_answer: ratio(all.sentences as f64, answers as f64),
        claims_per_sentence: ratio(all.claims as f64, (all.sentences - all.unparsed) as f64),
        false_sentences: share(|counts| counts.wrong),
        unparsed_sentences: share(|counts| counts.unparsed),
    }
}

/// A comparison of the shares of false sentences of two writers on the same pictures.
fn compared(
    pictures: &[PictureCounts],
    one: Writer,
    other: Writer,
    bootstrap: Bootstrap,
    compare: fn(f64, f64) -> Option<f64>,
) -> Estimate {
    let rows: Vec<[f64; 4]> = pictures
        .iter()
        .map(|picture| {
            let (a, b) = (one(picture), other(picture));
            [a.wrong, a.sentences, b.wrong, b.sentences].map(|count| count as f64)
        })
        .collect();
    bootstrap
        .estimate(&rows, |[a, a_total, b, b_total]| compare(ratio(a, a_total)?, ratio(b, b_total)?))
}

fn vqa_report(tally: &Tally) -> VqaReport {
    let accuracy = |counts: VqaCounts| wilson(counts.right, counts.total);
    let mut all = VqaCounts::default();
    let mut kinds = BTreeMap::new();
    for (kind, counts) in &tally.vqa {
        all.total += counts.total;
        all.right += counts.right;
        kinds.insert(kind.name().to_owned(), accuracy(*counts));
    }
    VqaReport { questions: all.total, accuracy: accuracy(all), kinds }
}
