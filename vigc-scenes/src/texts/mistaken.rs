//! Questions that take for granted what is not there, as an invented question does, and answers that
//! say so.

use super::super::grammar::parse_question;
use super::super::noun::Noun;
use super::super::{Cell, Color, Kind, QuestionJudgement, Size};
use super::{Dialogue, QuestionAnswer, Teller};

/// How often a wrong trait is that of another object in the picture: what a model confuses.
const CONFUSED: f64 = 0.75;

impl Teller<'_> {
    /// A question of the given kind that names something which is not there, and what there is to
    /// say.
    pub fn mistaken(&mut self, dialogue: Dialogue) -> QuestionAnswer {
        loop {
            let QuestionAnswer { question, .. } = self.dialogue(dialogue);
            if let Some(found) = self.mistake(&question, dialogue) {
                return found;
            }
        }
    }

    fn mistake(&mut self, question: &str, dialogue: Dialogue) -> Option<QuestionAnswer> {
        let named = parse_question(question).ok()?.presupposed;
        let right = self.one(&named);
        let wrong = self.confused(right)?;
        let question = question.replacen(&right.the(), &wrong.the(), 1);
        if self.scene.judge_question(&question) != QuestionJudgement::Missing(wrong) {
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

    /// The phrase with one of its traits changed, so that it fits nothing in the picture.
    fn confused(&mut self, noun: Noun) -> Option<Noun> {
        let index = self.any();
        let other = Noun::full(&self.scene.objects[index]);
        let confused = self.chance(CONFUSED);
        let mut wrong = noun;
        match self.one(&[0, 1, 2, 3]) {
            0 => wrong.size = noun.size.and(self.trait_of(confused, other.size, &Size::ALL)),
            1 => wrong.color = noun.color.and(self.trait_of(confused, other.color, &Color::ALL)),
            2 => wrong.kind = noun.kind.and(self.trait_of(confused, other.kind, &Kind::ALL)),
            _ => wrong.cell = noun.cell.and(self.trait_of(confused, other.cell, &Cell::ALL)),
        }
        let allowed = match (wrong.kind, wrong.color) {
            (Some(kind), Some(color)) => self.split.allows(kind, color),
            _ => true,
        };
        (allowed && self.scene.matching(&wrong).is_empty()).then_some(wrong)
    }

    fn trait_of<T: Clone>(&mut self, confused: bool, of: Option<T>, all: &[T]) -> Option<T> {
        if confused { of } else { Some(self.one(all)) }
    }

    /// What there is that may have been meant: the only one of its kind, or what stands in its place.
    fn instead(&mut self, wrong: Noun) -> Option<String> {
        let kind = wrong.without_size().without_color().without_cell();
        if let (Some(_), [only]) = (kind.kind, self.scene.matching(&kind).as_slice()) {
            let object = self.scene.objects[*only];
            let (color, place) = (object.color.name(), object.cell.place());
            return Some(format!("{} is {color} and it is {place}", kind.the()));
        }
        let there = self.scene.at(wrong.cell?)?;
        let object = Noun::full(&self.scene.objects[there]);
        Some(format!("{} there is {}", object.cell?.place(), object.without_cell().a()))
    }
}
