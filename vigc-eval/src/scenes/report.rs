//! What is counted image by image, and the measures with 95 % intervals.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use vigc_pipeline::prompt::qa_text::QuestionAnswer;
use vigc_scenes::{
    Dialogue, Judgment, QuestionJudgment, Scene, VqaKind, parse_sentence, sentences,
};

use super::pictures::Scenes;
use crate::interval::{Bootstrap, Estimate, ratio, wilson};
use crate::report::{Cell, Findings, Metric, Table, TableRow};

/// Everything that the suite found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The settings.
    pub suite: Scenes,
    /// `test`, and `unseen` for combinations that training never showed.
    pub splits: BTreeMap<String, SplitReport>,
}

/// The measures on one split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// The measures of each kind of dialogue.
    pub dialogues: BTreeMap<String, DialogueReport>,
    /// The measures of all kinds of dialogue together.
    pub overall: DialogueReport,
    /// The measures of short answers.
    pub vqa: VqaReport,
}

/// The measures of one kind of dialogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DialogueReport {
    /// The number of images times the number of kinds of dialogue.
    pub images: usize,
    /// The share of them for which VIG wrote a question and an answer.
    pub valid_rows: Estimate,
    /// VIG's questions.
    pub questions: QuestionReport,
    /// VIG's drafts.
    pub vig: AnswerReport,
    /// VIC's corrected answers.
    pub vic: AnswerReport,
    /// The answers that were written in one step.
    pub one_shot: AnswerReport,
    /// The share of false sentences of VIC divided by that of VIG, resampled together.
    pub vic_over_vig: Estimate,
    /// The share of false sentences of VIC minus that of VIG, resampled together.
    pub vic_minus_vig: Estimate,
    /// The share of false sentences of the one-step answers divided by that of VIG.
    pub one_shot_over_vig: Estimate,
    /// The share of false sentences of VIC divided by that of the one-step answers.
    pub vic_over_one_shot: Estimate,
    /// The share of false sentences of VIC minus that of the one-step answers.
    pub vic_minus_one_shot: Estimate,
}

/// The measures of VIG's questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuestionReport {
    /// The number of distinct questions.
    pub distinct: usize,
    /// The number of distinct questions divided by the number of images.
    pub distinct_share: Option<f64>,
    /// The share that presupposes only objects that are in the image exactly once.
    pub sound: Estimate,
    /// The share that presupposes an object that is not in the image.
    pub missing: Estimate,
    /// The share that refers to an object that is in the image several times.
    pub ambiguous: Estimate,
    /// The share that the grammar cannot parse.
    pub unparsed: Estimate,
}

/// The measures of the answers of one writer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerReport {
    /// The number of sentences.
    pub sentences: usize,
    /// The mean number of sentences in an answer.
    pub sentences_per_answer: Option<f64>,
    /// The mean number of statements in a sentence. It tells whether a writer errs less because it says less.
    pub claims_per_sentence: Option<f64>,
    /// The share of sentences that are false or cannot be parsed.
    pub false_sentences: Estimate,
    /// The share of sentences that cannot be parsed.
    pub unparsed_sentences: Estimate,
}

/// The measures of short answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VqaReport {
    /// The number of questions.
    pub questions: usize,
    /// The share of right answers.
    pub accuracy: Estimate,
    /// The same for each kind of question.
    pub kinds: BTreeMap<String, Estimate>,
}

/// The measures of a split.
pub(super) fn split_report(tally: &Tally, bootstrap: Bootstrap) -> SplitReport {
    let mut dialogues = BTreeMap::new();
    for (dialogue, counts) in &tally.dialogues {
        dialogues.insert(dialogue.name().to_owned(), dialogue_report(&[counts], bootstrap));
    }
    let all: Vec<&DialogueTally> = tally.dialogues.values().collect();
    SplitReport { dialogues, overall: dialogue_report(&all, bootstrap), vqa: vqa_report(tally) }
}

/// The measures of one or several kinds of dialogue on the same images. The answers about an image are resampled together.
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

/// One of the three answers about an image.
type Writer = fn(&PictureCounts) -> AnswerCounts;

/// The counts of each image, summed over the kinds of dialogue.
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

/// A comparison of the shares of false sentences of two writers on the same images.
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

impl Report {
    /// The main measures, and tables of the dialogues and of the short answers of each split.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let mut findings =
            Findings { details: serde_json::to_value(self).ok(), ..Findings::default() };
        for (split, found) in &self.splits {
            let overall = &found.overall;
            findings.metrics.extend([
                Metric::share(
                    format!("false sentences of VIG ({split})"),
                    overall.vig.false_sentences,
                ),
                Metric::share(
                    format!("false sentences of VIC ({split})"),
                    overall.vic.false_sentences,
                ),
                Metric::score(format!("VIC / VIG ({split})"), overall.vic_over_vig),
                Metric::share(format!("short answers right ({split})"), found.vqa.accuracy),
            ]);
            findings.tables.extend(found.tables(split));
        }
        findings
    }
}

impl SplitReport {
    fn tables(&self, split: &str) -> [Table; 4] {
        let dialogues = || {
            let kinds = self.dialogues.iter().map(|(name, dialogue)| (name.as_str(), dialogue));
            kinds.chain([("overall", &self.overall)])
        };
        let table =
            |title: &str, columns: &[&'static str], row: fn(&DialogueReport) -> Vec<Cell>| {
                let rows = dialogues().map(|(name, dialogue)| TableRow::new(name, row(dialogue)));
                Table::new(format!("{title} ({split})"), columns.iter().copied(), rows)
            };
        let kinds = self.vqa.kinds.iter().map(|(kind, accuracy)| (kind.as_str(), accuracy));
        let kinds = kinds.chain([("overall", &self.vqa.accuracy)]);
        [
            table(
                "False sentences",
                &["valid rows", "VIG", "one step", "VIC", "VIC / VIG"],
                |dialogue| {
                    vec![
                        Cell::share(dialogue.valid_rows),
                        Cell::share(dialogue.vig.false_sentences),
                        Cell::share(dialogue.one_shot.false_sentences),
                        Cell::share(dialogue.vic.false_sentences),
                        Cell::score(dialogue.vic_over_vig),
                    ]
                },
            ),
            table(
                "Length of answers",
                &["sentences, VIG", "sentences, VIC", "statements, VIG", "statements, VIC"],
                |DialogueReport { vig, vic, .. }| {
                    let numbers = [
                        vig.sentences_per_answer,
                        vic.sentences_per_answer,
                        vig.claims_per_sentence,
                        vic.claims_per_sentence,
                    ];
                    numbers.map(|number| Cell::score(without_interval(number))).into()
                },
            ),
            table(
                "Questions of VIG",
                &["distinct", "sound", "absent object", "ambiguous", "not parsed"],
                |DialogueReport { questions, .. }| {
                    vec![
                        Cell::share(without_interval(questions.distinct_share)),
                        Cell::share(questions.sound),
                        Cell::share(questions.missing),
                        Cell::share(questions.ambiguous),
                        Cell::share(questions.unparsed),
                    ]
                },
            ),
            Table::new(
                format!("Short answers ({split})"),
                ["right"],
                kinds.map(|(kind, accuracy)| TableRow::new(kind, [Cell::share(*accuracy)])),
            ),
        ]
    }
}

fn without_interval(value: Option<f64>) -> Estimate {
    Estimate { value, low: None, high: None }
}

/// The counts of a split.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) dialogues: BTreeMap<Dialogue, DialogueTally>,
    pub(super) vqa: BTreeMap<VqaKind, VqaCounts>,
}

/// The counts of short answers.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct VqaCounts {
    pub(super) total: usize,
    pub(super) right: usize,
}

/// The counts of one kind of dialogue.
#[derive(Debug, Default)]
pub(super) struct DialogueTally {
    /// The counts of each image; none if VIG did not write a question and an answer.
    pictures: Vec<Option<PictureCounts>>,
    questions: BTreeSet<String>,
    sound: usize,
    missing: usize,
    ambiguous: usize,
    unparsed: usize,
}

/// The counts of the three answers about an image.
#[derive(Debug, Default, Clone, Copy)]
struct PictureCounts {
    vig: AnswerCounts,
    vic: AnswerCounts,
    once: AnswerCounts,
}

/// The counts of an answer.
#[derive(Debug, Default, Clone, Copy)]
struct AnswerCounts {
    sentences: usize,
    /// The number of sentences that are false or cannot be parsed.
    wrong: usize,
    unparsed: usize,
    claims: usize,
}

impl DialogueTally {
    pub(super) fn add(&mut self, scene: &Scene, row: &QuestionAnswer, vic: &str, once: &str) {
        let judge = |answer: &str| AnswerCounts::of(scene, &row.question, answer);
        self.pictures.push(Some(PictureCounts {
            vig: judge(&row.answer),
            vic: judge(vic),
            once: judge(once),
        }));
        self.questions.insert(row.question.trim().to_lowercase());
        *match scene.judge_question(&row.question) {
            QuestionJudgment::Sound => &mut self.sound,
            QuestionJudgment::Missing(_) => &mut self.missing,
            QuestionJudgment::Ambiguous(_) => &mut self.ambiguous,
            QuestionJudgment::Unparsed => &mut self.unparsed,
        } += 1;
    }

    pub(super) fn add_invalid(&mut self) {
        self.pictures.push(None);
    }
}

impl AnswerCounts {
    fn of(scene: &Scene, question: &str, answer: &str) -> Self {
        let judged = scene.judge_answer(question, answer);
        let count = |keep: fn(&Judgment) -> bool| judged.iter().filter(|j| keep(j)).count();
        Self {
            sentences: judged.len(),
            wrong: count(|judgment| !judgment.is_true()),
            unparsed: count(|judgment| *judgment == Judgment::Unparsed),
            claims: sentences(answer)
                .filter_map(|sentence| parse_sentence(sentence).ok())
                .map(|claims| claims.len())
                .sum(),
        }
    }
}
