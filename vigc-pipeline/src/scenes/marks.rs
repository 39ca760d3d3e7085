//! Marks for answers, as a judge gives them who sees the scene.
//!
//! LLaVA-Eval has a language model look at helpfulness, relevance, accuracy and level of detail. Here accuracy is
//! the share of an answer's sentences that are true, and the rest how much of what the reference answer says is said, too.

use std::collections::HashSet;

use super::Scene;
use super::claim::{Claim, Property, Subjects};
use super::grammar::{claims, sentences};
use super::judge::{Judge, Judgement, Verdict};
use super::noun::{Group, Noun};

/// What was found in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merits {
    /// Sentences.
    pub sentences: usize,
    /// Those that are true.
    pub true_sentences: usize,
    /// What the reference says.
    pub statements: usize,
    /// What of it the answer says in true sentences.
    pub told: usize,
}

impl Merits {
    /// The mark, from 1 to 10: `1 + 9 F1`, where F1 is the harmonic mean of the share of sentences that are true and the
    /// share of the reference's statements that are told. A reference without statements asks for none.
    #[must_use]
    pub fn mark(&self) -> f64 {
        let share = |part: usize, all: usize| part as f64 / all as f64;
        if self.sentences == 0 {
            return 1.0;
        }
        let correct = share(self.true_sentences, self.sentences);
        let complete = if self.statements == 0 { 1.0 } else { share(self.told, self.statements) };
        match correct + complete {
            0.0 => 1.0,
            sum => 1.0 + 9.0 * 2.0 * correct * complete / sum,
        }
    }
}

impl Scene {
    /// What there is to say for an answer to a question, next to a reference answer.
    ///
    /// ```
    /// use vigc_pipeline::scenes::{Dialogue, Scene, Split, Teller};
    ///
    /// let scene = Scene::sample(Split::Train, 7);
    /// let told = Teller::new(&scene, Split::Train, 7).dialogue(Dialogue::Detail);
    /// assert_eq!(scene.merits(&told.question, &told.answer, &told.answer).mark(), 10.0);
    /// assert_eq!(scene.merits(&told.question, &told.answer, "").mark(), 1.0);
    /// ```
    #[must_use]
    pub fn merits(&self, question: &str, reference: &str, answer: &str) -> Merits {
        let (_, expected) = self.heard(question, reference);
        let (judgements, said) = self.heard(question, answer);
        Merits {
            sentences: judgements.len(),
            true_sentences: judgements.iter().filter(|judgement| judgement.is_true()).count(),
            statements: expected.len(),
            told: expected.intersection(&said).count(),
        }
    }

    /// The judgements of an answer's sentences, and what the true ones say.
    fn heard(&self, question: &str, answer: &str) -> (Vec<Judgement>, HashSet<Statement>) {
        let mut judge = Judge::new(self);
        judge.hear_question(question);
        let (mut judgements, mut said) = (Vec::new(), HashSet::new());
        for sentence in sentences(answer) {
            let before = judge.clone();
            let judgement = judge.hear_sentence(sentence);
            if let (true, Ok(claims)) = (judgement.is_true(), claims(sentence)) {
                said.extend(statements(before, &claims));
            }
            judgements.push(judgement);
        }
        (judgements, said)
    }
}

/// Something true that is said of a scene, whatever the words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Statement {
    /// One thing about one object.
    Of(usize, Aspect),
    /// How two objects stand to each other, the first of them first.
    Between([usize; 2], Aspect),
    /// How many there are of a group, or of which of two there are more.
    Number(String),
    /// That something is not there.
    Absent(String),
    /// What is behind the objects.
    Background,
    /// Which color most objects have.
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
    Position,
}

/// What claims that are true say, heard one after the other.
fn statements(mut judge: Judge<'_>, claims: &[Claim]) -> Vec<Statement> {
    let mut found = Vec::new();
    for claim in claims {
        if judge.hear(claim) == Verdict::True {
            found.extend(of_claim(&judge, claim));
        }
    }
    found
}

fn of_claim(judge: &Judge<'_>, claim: &Claim) -> Vec<Statement> {
    let it = judge.it().first().copied();
    match claim {
        Claim::Exists(noun) => it.map_or_else(Vec::new, |object| described(object, *noun)),
        Claim::Is { property, .. } => {
            it.map_or_else(Vec::new, |object| of_property(judge, object, property))
        }
        Claim::Both { subjects, property } => {
            let objects = pair(judge, *subjects);
            objects.iter().flat_map(|&object| of_property(judge, object, property)).collect()
        }
        Claim::Alike { subjects, by, .. } => match *pair(judge, *subjects) {
            [one, other] => {
                let aspect = match by {
                    super::Trait::Color => Aspect::Color,
                    super::Trait::Size => Aspect::Size,
                };
                vec![Statement::Between(sorted(one, other), aspect)]
            }
            _ => Vec::new(),
        },
        Claim::Count { group, without, .. } => {
            let gone = without.iter().flat_map(|&noun| judge.referents(noun)).next();
            vec![Statement::Number(format!("{group:?} without {gone:?}"))]
        }
        Claim::Compare { left, right, .. } => vec![compared(*left, *right)],
        Claim::MostCommon(_) => vec![Statement::MostCommon],
        Claim::Background(_) => vec![Statement::Background],
        Claim::Absent(Noun { size, color, kind, cell, .. }) => {
            vec![Statement::Absent(format!("{size:?} {color:?} {kind:?} {cell:?}"))]
        }
        Claim::Nothing(property) => vec![nothing(judge, property)],
        Claim::Reply(_) => vec![Statement::Reply],
    }
}

/// What a phrase says of the object that it is about.
fn described(object: usize, noun: Noun) -> Vec<Statement> {
    let said = [
        noun.kind.map(|_| Aspect::Kind),
        noun.color.map(|_| Aspect::Color),
        noun.size.map(|_| Aspect::Size),
        noun.cell.map(|_| Aspect::Place),
    ];
    said.into_iter().flatten().map(|aspect| Statement::Of(object, aspect)).collect()
}

fn of_property(judge: &Judge<'_>, object: usize, property: &Property) -> Vec<Statement> {
    let of = |aspect| vec![Statement::Of(object, aspect)];
    let to = |noun: Noun, aspect| {
        let mut others = judge.referents(noun).into_iter().filter(|&other| other != object);
        let other = others.next();
        other.map(|other| Statement::Between(sorted(object, other), aspect)).into_iter().collect()
    };
    match property {
        Property::Color(_) => of(Aspect::Color),
        Property::Size(_) => of(Aspect::Size),
        Property::Place(_) => of(Aspect::Place),
        Property::Such(noun) => described(object, *noun),
        Property::Related(_, noun) => to(*noun, Aspect::Position),
        Property::Compared(_, noun) => to(*noun, Aspect::Size),
        Property::Between(..) | Property::Extreme(_) => of(Aspect::Position),
        Property::GoodFor(_) => of(Aspect::Use),
    }
}

/// That nothing has a property, by what kind of property it is and whom it names.
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

fn pair(judge: &Judge<'_>, subjects: Subjects) -> Vec<usize> {
    match subjects {
        Subjects::They => judge.they().to_vec(),
        Subjects::Pair(one, other) => {
            let first = |noun| judge.referents(noun).first().copied();
            [first(one), first(other)].into_iter().flatten().collect()
        }
    }
}

fn sorted(one: usize, other: usize) -> [usize; 2] {
    [one.min(other), one.max(other)]
}

/// `More of these than of those` and `fewer of those than of these` are one statement.
fn compared(left: Group, right: Group) -> Statement {
    let mut groups = [format!("{left:?}"), format!("{right:?}")];
    groups.sort();
    Statement::Number(groups.join(" against "))
}

#[cfg(test)]
mod tests {
    use super::super::{Dialogue, Split, Teller};
    use super::*;

    /// Scenes with a question and its answer of each kind.
    fn told() -> impl Iterator<Item = (Scene, String, String)> {
        (0..300).flat_map(|seed| {
            let scene = Scene::sample(Split::Test, seed);
            Dialogue::ALL.map(|dialogue| {
                let told = Teller::new(&scene, Split::Test, seed).dialogue(dialogue);
                (scene.clone(), told.question, told.answer)
            })
        })
    }

    #[test]
    fn the_reference_gets_ten_and_nothing_gets_one() {
        for (scene, question, answer) in told() {
            let merits = scene.merits(&question, &answer, &answer);
            assert!(merits.statements > 0, "{answer}");
            assert_eq!(merits.mark(), 10.0, "{question} {answer} {merits:?}");
            assert_eq!(scene.merits(&question, &answer, "").mark(), 1.0);
            assert_eq!(scene.merits(&question, &answer, "Colorless ideas sleep.").mark(), 1.0);
        }
    }

    #[test]
    fn false_sentences_and_gaps_cost_and_more_that_is_true_does_not() {
        let mut beside = 0.0;
        for (scene, question, answer) in told() {
            let mark = |text: &str| scene.merits(&question, &answer, text).mark();
            let wrong = ["two", "three"][usize::from(scene.objects.len() == 2)];
            let wrong = format!("There are {wrong} objects.");
            assert!(mark(&format!("{answer} {wrong}")) < 10.0, "{answer} {wrong}");
            assert_eq!(mark(&wrong), 1.0, "{wrong}");
            let background = format!("The background is a {}.", scene.background.name());
            assert_eq!(mark(&format!("{answer} {background}")), 10.0, "{background}");
            let first = sentences(&answer).next().unwrap_or_default().to_owned();
            assert!(mark(&first) > 1.0 && mark(&first) <= 10.0, "{first}");
            beside += mark(&background);
        }
        // What is true but was not asked for.
        assert!(beside / 900.0 < 2.5, "{}", beside / 900.0);
    }

    #[test]
    fn other_words_for_the_same_count_as_much() {
        let scene = Scene::sample(Split::Test, 3);
        let object = &scene.objects[0];
        let noun = Noun::full(object);
        let question = "What can you say about this?";
        let long = format!("There is {}.", noun.a());
        let parts = format!(
            "There is {}. It is {}. It is {}.",
            noun.without_color().without_size().a(),
            object.color.name(),
            object.size.name()
        );
        assert_eq!(scene.merits(question, &long, &parts).mark(), 10.0, "{long} {parts}");
    }
}
