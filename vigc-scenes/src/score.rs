//! Scores of answers that are compared with a reference answer, by a judge that sees the scene.
//!
//! In LLaVA-Eval a language model judges helpfulness, relevance, accuracy and level of detail. Here, accuracy is the share
//! of an answer's sentences that are true, and the rest is the share of the reference answer's statements that the answer
//! makes as well.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::claim::{Attribute, Claim, Property};
use crate::grammar::{parse_sentence, sentences};
use crate::judge::{Judge, Judgment};
use crate::noun_phrase::{Group, NounPhrase};
use crate::relation::{Extreme, Relation};
use crate::scene::{Object, Scene};
use crate::texts::QuestionAnswer;

/// What was found in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerScore {
    /// Sentences of the answer. A true sentence that only repeats what was said before does not count: otherwise
    /// repetitions would make up for false sentences.
    pub sentences: usize,
    /// Sentences that are true.
    pub true_sentences: usize,
    /// Statements of the reference answer.
    pub statements: usize,
    /// Statements of the reference answer that the answer makes as well, in true sentences.
    pub covered: usize,
}

impl AnswerScore {
    /// The score from 1 to 10: `1 + 9 F1`, where F1 is the harmonic mean of the share of sentences that are true and the
    /// share of the reference answer's statements that are covered. If the reference answer makes no statements, the
    /// second share is 1.
    #[must_use]
    pub fn points(&self) -> f64 {
        let share = |part: usize, all: usize| part as f64 / all as f64;
        if self.sentences == 0 {
            return 1.0;
        }
        let correct = share(self.true_sentences, self.sentences);
        let complete =
            if self.statements == 0 { 1.0 } else { share(self.covered, self.statements) };
        match correct + complete {
            0.0 => 1.0,
            sum => 1.0 + 9.0 * 2.0 * correct * complete / sum,
        }
    }
}

impl Scene {
    /// Compares an answer with the true answer to the same question.
    ///
    /// ```
    /// use vigc_scenes::{Dialogue, Scene, Split, Teller};
    ///
    /// let scene = Scene::sample(Split::Train, 7);
    /// let reference = Teller::new(&scene, Split::Train, 7).dialogue(Dialogue::Detail);
    /// assert_eq!(scene.score_answer(&reference, &reference.answer).points(), 10.0);
    /// assert_eq!(scene.score_answer(&reference, "There are no objects.").points(), 1.0);
    /// ```
    #[must_use]
    pub fn score_answer(&self, reference: &QuestionAnswer, answer: &str) -> AnswerScore {
        let (_, expected) = self.judged_statements(&reference.question, &reference.answer);
        let (judgments, said) = self.judged_statements(&reference.question, answer);
        AnswerScore {
            sentences: judgments.len(),
            true_sentences: judgments.iter().filter(|judgment| judgment.is_true()).count(),
            statements: expected.len(),
            covered: covered(&expected, &said),
        }
    }

    /// The judgments of an answer's sentences without repetitions, and the statements of the true ones.
    fn judged_statements(
        &self,
        question: &str,
        answer: &str,
    ) -> (Vec<Judgment>, HashSet<Statement>) {
        let mut judge = Judge::new(self);
        judge.hear_question(question);
        let (mut judgments, mut said) = (Vec::new(), HashSet::new());
        for sentence in sentences(answer) {
            let before = judge.clone();
            let judgment = judge.hear_sentence(sentence);
            let mut repeats = false;
            if let (true, Ok(claims)) = (judgment.is_true(), parse_sentence(sentence)) {
                let found = statements(before, &claims);
                repeats =
                    !found.is_empty() && found.iter().all(|statement| said.contains(statement));
                said.extend(found);
            }
            if !repeats {
                judgments.push(judgment);
            }
        }
        (judgments, said)
    }
}

/// A true statement about a scene, independent of its wording.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Statement {
    /// An aspect of one object.
    Of(usize, Aspect),
    /// An aspect that two objects are compared in; the smaller index comes first.
    Between([usize; 2], Aspect),
    /// The relation of the first object to the second; the smaller index comes first.
    Related(usize, Relation, usize),
    /// A denial, and the statement that implies it, if there is one: an object that is blue is not red.
    Denied(String, Option<Box<Self>>),
    /// The number of objects in a group, or which of two groups has more.
    Number(String),
    /// That an object is not in the scene.
    Absent(String),
    /// The background.
    Background,
    /// The most common color.
    MostCommon,
    /// Yes or no.
    Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Aspect {
    Kind,
    Color,
    Size,
    Place,
    Use,
    /// Between these two.
    Middle([Option<usize>; 2]),
    /// Further in a direction than all others.
    Extreme(Extreme),
}

impl Statement {
    /// Whether an answer that says this makes the statement, directly or, for a denial, by implication. A denial covers
    /// only itself: otherwise an answer that only says what objects are not would be complete.
    fn is_covered_by(&self, said: &HashSet<Self>) -> bool {
        let ruled_out = matches!(self, Self::Denied(_, Some(instead)) if said.contains(&**instead));
        said.contains(self) || ruled_out
    }
}

/// The number of statements that are covered. Yes or no counts as covered if it is the only statement left.
fn covered(expected: &HashSet<Statement>, said: &HashSet<Statement>) -> usize {
    let count = expected.iter().filter(|statement| statement.is_covered_by(said)).count();
    let only_reply_is_left =
        count + 1 == expected.len() && count > 0 && !Statement::Reply.is_covered_by(said);
    if only_reply_is_left && expected.contains(&Statement::Reply) { count + 1 } else { count }
}

/// The statements of the true ones among claims that are heard one after the other.
fn statements(mut judge: Judge<'_>, claims: &[Claim]) -> Vec<Statement> {
    let mut found = Vec::new();
    for claim in claims {
        let before = judge.clone();
        if judge.hear(claim) {
            found.extend(of_claim(&before, &judge, claim));
        }
    }
    found
}

/// The statements of a true claim. `after` knows which object it is about, `before` the other objects that it mentions.
fn of_claim(before: &Judge<'_>, after: &Judge<'_>, claim: &Claim) -> Vec<Statement> {
    let it = after.it().first().copied();
    match claim {
        Claim::Exists(noun) => it.map_or_else(Vec::new, |object| described(object, *noun)),
        // `Behind the car there is a wall` presupposes the car.
        Claim::Is { subject, property: Property::IsA(noun), holds: true } if subject == noun => {
            Vec::new()
        }
        Claim::Is { property, holds, .. } => it.map_or_else(Vec::new, |object| match holds {
            true => of_property(before, object, property),
            false => vec![denied(before, object, property)],
        }),
        Claim::Both { property, .. } => {
            let objects = after.they().iter();
            objects.flat_map(|&object| of_property(before, object, property)).collect()
        }
        Claim::Alike { by, same, .. } => match *after.they() {
            [one, other] => vec![alike(sorted(one, other), *by, *same)],
            _ => Vec::new(),
        },
        Claim::Count { group, without, .. } => {
            let gone = without.iter().flat_map(|&noun| before.referents(noun)).next();
            vec![Statement::Number(format!("{group:?} without {gone:?}"))]
        }
        Claim::Compare { left, right, .. } => vec![compared(*left, *right)],
        Claim::MostCommon(_) => vec![Statement::MostCommon],
        Claim::Background(_) => vec![Statement::Background],
        Claim::Absent(NounPhrase { size, color, kind, cell, .. }) => {
            vec![Statement::Absent(format!("{size:?} {color:?} {kind:?} {cell:?}"))]
        }
        Claim::Nothing(property) => vec![nothing(before, property)],
        Claim::Reply(_) => vec![Statement::Reply],
    }
}

/// The statements of a phrase about the object that it describes.
fn described(object: usize, noun: NounPhrase) -> Vec<Statement> {
    let said = [
        noun.kind.map(|_| Aspect::Kind),
        noun.color.map(|_| Aspect::Color),
        noun.size.map(|_| Aspect::Size),
        noun.cell.map(|_| Aspect::Place),
    ];
    said.into_iter().flatten().map(|aspect| Statement::Of(object, aspect)).collect()
}

fn of_property(judge: &Judge<'_>, object: usize, property: &Property) -> Vec<Statement> {
    let objects = &judge.scene().objects;
    let of = |aspect| vec![Statement::Of(object, aspect)];
    match property {
        Property::Color(_) => of(Aspect::Color),
        Property::Size(_) => of(Aspect::Size),
        Property::Place(_) => of(Aspect::Place),
        Property::IsA(noun) => described(object, *noun),
        Property::Related(relation, noun) => {
            let holds = |other: usize| relation.holds(objects[object].cell, objects[other].cell);
            let other = others(judge, object, *noun).find(|&other| holds(other));
            other.map(|other| related(object, *relation, other)).into_iter().collect()
        }
        Property::Compared(ordering, noun) => {
            let holds = |other: usize| objects[object].size.cmp(&objects[other].size) == *ordering;
            let other = others(judge, object, *noun).find(|&other| holds(other));
            let between = |other| Statement::Between(sorted(object, other), Aspect::Size);
            other.map(between).into_iter().collect()
        }
        Property::Between(one, other) => {
            let mut ends = [one, other].map(|noun| others(judge, object, *noun).next());
            ends.sort_unstable();
            of(Aspect::Middle(ends))
        }
        Property::Extreme(extreme) => of(Aspect::Extreme(*extreme)),
        Property::GoodFor(_) => of(Aspect::Use),
    }
}

/// The objects other than `object` that a phrase may refer to.
fn others(judge: &Judge<'_>, object: usize, noun: NounPhrase) -> impl Iterator<Item = usize> {
    judge.referents(noun).into_iter().filter(move |&other| other != object)
}

/// `One is to the left of the other` and `the other is to the right of one` are one statement.
fn related(one: usize, relation: Relation, other: usize) -> Statement {
    if one < other {
        Statement::Related(one, relation, other)
    } else {
        Statement::Related(other, relation.inverse(), one)
    }
}

/// That an object does not have a property. Saying which one it has instead implies that, except for uses.
fn denied(judge: &Judge<'_>, object: usize, property: &Property) -> Statement {
    let other = property.nouns().first().and_then(|&noun| others(judge, object, noun).next());
    let (what, instead) = match (property, other) {
        (Property::Related(relation, _), Some(other)) => {
            let inverse = relation.inverse();
            let instead = (inverse != *relation).then(|| related(object, inverse, other));
            (format!("{:?}", related(object, *relation, other)), instead)
        }
        (Property::Compared(ordering, _), Some(other)) => {
            let ordering = if object < other { *ordering } else { ordering.reverse() };
            let pair = sorted(object, other);
            (format!("{ordering:?} {pair:?}"), Some(Statement::Between(pair, Aspect::Size)))
        }
        (Property::IsA(noun), _) => {
            let instead = described(object, wrong_in(&judge.scene().objects[object], *noun));
            (format!("{object} {property:?}"), instead.into_iter().next())
        }
        (Property::Color(_) | Property::Size(_) | Property::Place(_), _) => {
            let instead = of_property(judge, object, property).into_iter().next();
            (format!("{object} {property:?}"), instead)
        }
        (other, _) => (format!("{object} {other:?}"), None),
    };
    Statement::Denied(what, instead.map(Box::new))
}

/// The attributes of a phrase that do not fit an object.
fn wrong_in(object: &Object, noun: NounPhrase) -> NounPhrase {
    NounPhrase {
        size: noun.size.filter(|&size| size != object.size),
        color: noun.color.filter(|&color| color != object.color),
        kind: noun.kind.filter(|&kind| kind != object.kind),
        cell: noun.cell.filter(|&cell| cell != object.cell),
        ..noun
    }
}

/// That two objects have the same attribute, or different ones. Saying which one is larger implies that they differ, but
/// not the other way round.
fn alike(pair: [usize; 2], by: Attribute, same: bool) -> Statement {
    let aspect = match by {
        Attribute::Color => Aspect::Color,
        Attribute::Size => Aspect::Size,
    };
    let agree = Statement::Between(pair, aspect);
    if same {
        return agree;
    }
    let what = match by {
        Attribute::Color => format!("color {pair:?}"),
        Attribute::Size => format!("{:?} {pair:?}", Ordering::Equal),
    };
    Statement::Denied(what, Some(Box::new(agree)))
}

/// That no object has a property. The kind of property and the objects that it mentions make the statement.
fn nothing(judge: &Judge<'_>, property: &Property) -> Statement {
    let named: Vec<_> = property.nouns().into_iter().map(|noun| judge.referents(noun)).collect();
    let kind = match property {
        Property::Related(relation, _) => format!("{relation:?}"),
        Property::Compared(ordering, _) => format!("{ordering:?}"),
        Property::Between(..) => "between".to_owned(),
        other => format!("{other:?}"),
    };
    Statement::Absent(format!("{kind} {named:?}"))
}

fn sorted(one: usize, other: usize) -> [usize; 2] {
    [one.min(other), one.max(other)]
}

/// `More cars than keys` and `fewer keys than cars` are one statement.
fn compared(left: Group, right: Group) -> Statement {
    let mut groups = [format!("{left:?}"), format!("{right:?}")];
    groups.sort();
    Statement::Number(groups.join(" against "))
}

#[cfg(test)]
mod tests;
