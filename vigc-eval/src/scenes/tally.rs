//! What is counted, picture by picture.

use std::collections::{BTreeMap, BTreeSet};

use super::suite::VigRow;
use vigc_scenes::{
    Dialogue, Judgment, QuestionJudgment, Scene, VqaKind, parse_sentence, sentences,
};

/// The counts of a split.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) dialogues: BTreeMap<Dialogue, DialogueTally>,
    pub(super) vqa: BTreeMap<VqaKind, VqaCounts>,
}

/// Short answers.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct VqaCounts {
    pub(super) total: usize,
    pub(super) right: usize,
}

/// The counts of one kind of dialogue.
#[derive(Debug, Default)]
pub(super) struct DialogueTally {
    /// A picture each; none where VIG's text was no row.
    pub(super) pictures: Vec<Option<PictureCounts>>,
    pub(super) questions: BTreeSet<String>,
    pub(super) sound: usize,
    pub(super) missing: usize,
    pub(super) ambiguous: usize,
    pub(super) unparsed: usize,
}

/// The three answers about one picture.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PictureCounts {
    pub(super) vig: AnswerCounts,
    pub(super) vic: AnswerCounts,
    pub(super) once: AnswerCounts,
}

/// The sentences of one answer.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AnswerCounts {
    pub(super) sentences: usize,
    /// Sentences that are false, those that were not understood among them.
    pub(super) wrong: usize,
    pub(super) unparsed: usize,
    pub(super) claims: usize,
}

impl DialogueTally {
    pub(super) fn add(&mut self, scene: &Scene, row: &VigRow, vic: &str, once: &str) {
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
            wrong: count(|judgement| !judgement.is_true()),
            unparsed: count(|judgment| *judgment == Judgment::Unparsed),
            claims: sentences(answer)
                .filter_map(|sentence| parse_sentence(sentence).ok())
                .map(|claims| claims.len())
                .sum(),
        }
    }
}
