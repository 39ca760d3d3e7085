//! Dialogues of all kinds, with questions that are right and with questions that have a false premise.

use serde::{Deserialize, Serialize};

use super::teller::{QuestionAnswer, Teller};
use crate::attributes::{Cell, Color, Kind, Size};
use crate::grammar::parse_question;
use crate::judge::QuestionJudgment;
use crate::noun_phrase::NounPhrase;

/// The three kinds of dialogue in LLaVA's instruction data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialogue {
    /// A question about something in the picture, answered in one to three sentences.
    Conversation,
    /// A description of the whole picture.
    Detail,
    /// A question that takes more than looking, answered in two to four sentences.
    Reasoning,
}

impl Dialogue {
    /// Every kind of dialogue.
    pub const ALL: [Self; 3] = [Self::Conversation, Self::Detail, Self::Reasoning];

    /// The name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Detail => "detail",
            Self::Reasoning => "reasoning",
        }
    }
}

/// How often a wrong attribute is that of another object in the picture, as when a model confuses two objects.
const CONFUSED: f64 = 0.75;

impl Teller<'_> {
    /// A question and its answer, of the given kind.
    pub fn dialogue(&mut self, dialogue: Dialogue) -> QuestionAnswer {
        match dialogue {
            Dialogue::Conversation => self.conversation(),
            Dialogue::Detail => self.detail(),
            Dialogue::Reasoning => self.reasoning(),
        }
    }

    /// A question of the given kind with a false premise: it mentions an object that is not in the scene, as generated
    /// questions sometimes do. The answer says so.
    pub fn false_premise(&mut self, dialogue: Dialogue) -> QuestionAnswer {
        loop {
            let QuestionAnswer { question, .. } = self.dialogue(dialogue);
            if let Some(found) = self.with_false_premise(&question, dialogue) {
                return found;
            }
        }
    }

    fn with_false_premise(&mut self, question: &str, dialogue: Dialogue) -> Option<QuestionAnswer> {
        let named = parse_question(question).ok()?.presupposed;
        let right = self.one(&named);
        let wrong = self.confused(right)?;
        let question = question.replacen(&right.the(), &wrong.the(), 1);
        if self.scene.judge_question(&question) != QuestionJudgment::Missing(wrong) {
            return None;
        }
        let mut clauses = vec![match wrong.cell {
            Some(_) => format!("there is no {}", wrong.bare()),
            None => format!("there is no {} in the picture", wrong.bare()),
        }];
        match dialogue {
            Dialogue::Detail => {
                let first = self.any();
                clauses.extend(self.description(first));
            }
            Dialogue::Conversation | Dialogue::Reasoning => clauses.extend(self.instead(wrong)),
        }
        Some(QuestionAnswer::new(question.trim_end_matches('?'), &clauses))
    }

    /// The phrase with one attribute changed so that it fits no object in the picture.
    fn confused(&mut self, noun: NounPhrase) -> Option<NounPhrase> {
        let index = self.any();
        let other = NounPhrase::full(&self.scene.objects[index]);
        let confused = self.chance(CONFUSED);
        let mut wrong = noun;
        match self.one(&[0, 1, 2, 3]) {
            0 => wrong.size = noun.size.and(self.attribute(confused, other.size, &Size::ALL)),
            1 => wrong.color = noun.color.and(self.attribute(confused, other.color, &Color::ALL)),
            2 => wrong.kind = noun.kind.and(self.attribute(confused, other.kind, &Kind::ALL)),
            _ => wrong.cell = noun.cell.and(self.attribute(confused, other.cell, &Cell::ALL)),
        }
        let allowed = match (wrong.kind, wrong.color) {
            (Some(kind), Some(color)) => self.split.allows(kind, color),
            _ => true,
        };
        (allowed && self.scene.matching(&wrong).is_empty()).then_some(wrong)
    }

    fn attribute<T: Clone>(&mut self, confused: bool, of: Option<T>, all: &[T]) -> Option<T> {
        if confused { of } else { Some(self.one(all)) }
    }

    /// The object that was probably meant: the only one of its kind, or the one in its place.
    fn instead(&mut self, wrong: NounPhrase) -> Option<String> {
        let kind = wrong.without_size().without_color().without_cell();
        if let (Some(_), [only]) = (kind.kind, self.scene.matching(&kind).as_slice()) {
            let object = self.scene.objects[*only];
            let (color, place) = (object.color.name(), object.cell.place());
            return Some(format!("{} is {color} and it is {place}", kind.the()));
        }
        let there = self.scene.at(wrong.cell?)?;
        let object = NounPhrase::full(&self.scene.objects[there]);
        Some(format!("{} there is {}", object.cell?.place(), object.without_cell().a()))
    }
}
