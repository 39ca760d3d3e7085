//! A judge of sentences: whether what is said about a scene is true.

use std::cmp::Ordering;

use crate::attributes::Color;
use crate::claim::{Attribute, Claim, Property, Subjects};
use crate::grammar::{parse_question, parse_sentence, sentences};
use crate::noun_phrase::{Article, Group, NounPhrase};
use crate::scene::{Object, Scene};

/// The judgment of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgment {
    /// Everything that the sentence claims is true.
    True,
    /// These claims of the sentence are false.
    False(Vec<Claim>),
    /// The sentence is not in the grammar.
    Unparsed,
}

impl Judgment {
    /// Whether the sentence is in the grammar and true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Self::True)
    }
}

/// The judgment of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionJudgment {
    /// Everything that the question presupposes is in the scene exactly once.
    Sound,
    /// The question presupposes this object, which is not in the scene.
    Missing(NounPhrase),
    /// The question presupposes this object, but several objects fit the phrase.
    Ambiguous(NounPhrase),
    /// The question is not in the grammar.
    Unparsed,
}

impl Scene {
    /// Whether a claim is true when it stands alone. A claim about an object that is not there is false.
    #[must_use]
    pub fn is_true(&self, claim: &Claim) -> bool {
        Judge::new(self).hear(claim)
    }

    /// Whether the objects that a question presupposes are in the scene.
    #[must_use]
    pub fn judge_question(&self, question: &str) -> QuestionJudgment {
        let Ok(question) = parse_question(question) else { return QuestionJudgment::Unparsed };
        for noun in question.presupposed {
            match self.matching(&noun).len() {
                0 => return QuestionJudgment::Missing(noun),
                1 => {}
                _ => return QuestionJudgment::Ambiguous(noun),
            }
        }
        QuestionJudgment::Sound
    }

    /// Judges the sentences of an answer to a question, in order.
    #[must_use]
    pub fn judge_answer(&self, question: &str, answer: &str) -> Vec<Judgment> {
        let mut judge = Judge::new(self);
        judge.hear_question(question);
        sentences(answer).map(|sentence| judge.hear_sentence(sentence)).collect()
    }
}

/// A listener who sees the scene and remembers which objects were mentioned.
///
/// If a phrase fits several objects, the sentence is true if it is true of one of them, and `it` then refers to that
/// one.
#[derive(Debug, Clone)]
pub struct Judge<'a> {
    scene: &'a Scene,
    it: Vec<usize>,
    they: Vec<usize>,
    asked: Option<bool>,
}

impl<'a> Judge<'a> {
    /// A judge who has heard nothing yet.
    #[must_use]
    pub fn new(scene: &'a Scene) -> Self {
        Self { scene, it: Vec::new(), they: Vec::new(), asked: None }
    }

    /// Remembers the objects that a question mentions. A question that is not in the grammar mentions none.
    pub fn hear_question(&mut self, question: &str) {
        let Ok(question) = parse_question(question) else { return };
        let spoken: Vec<Vec<usize>> =
            question.presupposed.iter().map(|noun| self.scene.matching(noun)).collect();
        self.they = spoken.iter().take(2).filter_map(|found| found.first().copied()).collect();
        self.it = spoken.first().cloned().unwrap_or_default();
        self.asked = question.yes.map(|claim| self.clone().hear(&claim));
    }

    /// Judges a sentence and remembers the objects that it mentions.
    pub fn hear_sentence(&mut self, sentence: &str) -> Judgment {
        let Ok(claims) = parse_sentence(sentence) else { return Judgment::Unparsed };
        let wrong: Vec<Claim> = claims.into_iter().filter(|claim| !self.hear(claim)).collect();
        if wrong.is_empty() { Judgment::True } else { Judgment::False(wrong) }
    }

    /// Whether a claim is true after what was said before. Remembers the objects that it mentions.
    pub fn hear(&mut self, claim: &Claim) -> bool {
        let scene = self.scene;
        match claim {
            Claim::Exists(noun) => {
                self.it = scene.matching(noun);
                !self.it.is_empty()
            }
            Claim::Absent(noun) => scene.matching(noun).is_empty(),
            Claim::Is { subject, property, holds } => self.hear_is(*subject, property, *holds),
            Claim::Both { subjects, property } => self.hear_both(*subjects, property),
            Claim::Alike { subjects, by, same } => self.hear_alike(*subjects, *by, *same),
            Claim::Count { group, number, without } => self.hear_count(*group, *number, *without),
            Claim::Compare { left, ordering, right } => {
                scene.count(left).cmp(&scene.count(right)) == *ordering
            }
            Claim::MostCommon(color) => most_common(scene) == Some(*color),
            Claim::Background(background) => scene.background == *background,
            Claim::Nothing(property) => {
                let named = property.nouns();
                named.iter().all(|&noun| !self.referents(noun).is_empty())
                    && (0..scene.objects.len()).all(|index| self.has(index, property) != Some(true))
            }
            Claim::Reply(yes) => self.asked == Some(*yes),
        }
    }

    fn hear_is(&mut self, subject: NounPhrase, property: &Property, holds: bool) -> bool {
        let candidates = self.referents(subject);
        let witnesses: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|&index| self.has(index, property) == Some(holds))
            .collect();
        let found = !witnesses.is_empty();
        self.it = if found { witnesses } else { candidates };
        found
    }

    fn hear_both(&mut self, subjects: Subjects, property: &Property) -> bool {
        let groups = match subjects {
            Subjects::They => self.they.iter().map(|&index| vec![index]).collect(),
            Subjects::Pair(one, other) => vec![self.referents(one), self.referents(other)],
        };
        let witness = |group: &Vec<usize>| {
            group.iter().copied().find(|&index| self.has(index, property) == Some(true))
        };
        let witnesses: Vec<Option<usize>> = groups.iter().map(witness).collect();
        self.they = (witnesses.iter().zip(&groups))
            .filter_map(|(witness, group)| witness.or(group.first().copied()))
            .collect();
        witnesses.len() >= 2 && witnesses.iter().all(Option::is_some)
    }

    fn hear_alike(&mut self, subjects: Subjects, by: Attribute, same: bool) -> bool {
        let (ones, others) = match subjects {
            Subjects::They => match *self.they.as_slice() {
                [one, other] => (vec![one], vec![other]),
                _ => return false,
            },
            Subjects::Pair(one, other) => (self.referents(one), self.referents(other)),
        };
        let objects = &self.scene.objects;
        let equal = |one: &Object, other: &Object| match by {
            Attribute::Color => one.color == other.color,
            Attribute::Size => one.size == other.size,
        };
        let pairs = ones.iter().flat_map(|&one| others.iter().map(move |&other| [one, other]));
        let pair = pairs
            .filter(|[one, other]| one != other)
            .find(|&[one, other]| equal(&objects[one], &objects[other]) == same);
        if let Some(pair) = pair {
            self.they = pair.to_vec();
        }
        pair.is_some()
    }

    fn hear_count(&mut self, group: Group, number: usize, without: Option<NounPhrase>) -> bool {
        let members = self.scene.indices(|object| group.holds(object));
        match without {
            None => {
                if let [only] = *members.as_slice() {
                    self.it = vec![only];
                }
                let right = members.len() == number;
                self.they = members;
                right
            }
            Some(noun) => self
                .referents(noun)
                .into_iter()
                .any(|gone| members.iter().filter(|&&member| member != gone).count() == number),
        }
    }

    /// The scene.
    pub(crate) fn scene(&self) -> &'a Scene {
        self.scene
    }

    /// The objects that `it` may refer to now.
    pub(crate) fn it(&self) -> &[usize] {
        &self.it
    }

    /// The objects that `they` refers to now.
    pub(crate) fn they(&self) -> &[usize] {
        &self.they
    }

    /// The objects that a phrase may refer to now.
    pub(crate) fn referents(&self, noun: NounPhrase) -> Vec<usize> {
        if noun.article == Article::Pronoun { self.it.clone() } else { self.scene.matching(&noun) }
    }

    /// Whether an object has a property; `None` if the property mentions an object that is not in the scene.
    fn has(&self, index: usize, property: &Property) -> Option<bool> {
        let objects = &self.scene.objects;
        let object = &objects[index];
        let others = |noun: NounPhrase| -> Option<Vec<&Object>> {
            let mut found = self.referents(noun);
            found.retain(|&other| other != index);
            (!found.is_empty()).then(|| found.into_iter().map(|other| &objects[other]).collect())
        };
        Some(match property {
            Property::Color(color) => object.color == *color,
            Property::Size(size) => object.size == *size,
            Property::Place(cell) => object.cell == *cell,
            Property::IsA(noun) => noun.fits(object),
            Property::Related(relation, noun) => {
                others(*noun)?.iter().any(|other| relation.holds(object.cell, other.cell))
            }
            Property::Between(one, other) => {
                let (ones, others) = (others(*one)?, others(*other)?);
                ones.iter().any(|a| others.iter().any(|b| object.cell.is_between(a.cell, b.cell)))
            }
            Property::Extreme(extreme) => objects
                .iter()
                .filter(|other| other.cell != object.cell)
                .all(|other| extreme.relation().holds(object.cell, other.cell)),
            Property::Compared(ordering, noun) => {
                others(*noun)?.iter().any(|other| object.size.cmp(&other.size) == *ordering)
            }
            Property::GoodFor(purpose) => purpose.kinds().contains(&object.kind),
        })
    }
}

/// The color that more objects have than any other, if there is one.
pub(crate) fn most_common(scene: &Scene) -> Option<Color> {
    let count = |color: Color| scene.count(&Group::of_color(color));
    let best = Color::ALL.into_iter().max_by_key(|&color| count(color))?;
    let unique = Color::ALL
        .into_iter()
        .filter(|&color| color != best)
        .all(|color| count(color).cmp(&count(best)) == Ordering::Less);
    unique.then_some(best)
}

#[cfg(test)]
mod tests;
