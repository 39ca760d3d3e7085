//! The source of texts about one scene, and what all kinds of texts are made from.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::attributes::{Color, Kind};
use crate::noun_phrase::{Article, Group, NounPhrase};
use crate::relation::Relation;
use crate::sample::{RandomStream, Split};
use crate::scene::{Object, Scene};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// The question.
    pub question: String,
    /// The answer, one or more sentences.
    pub answer: String,
}

impl QuestionAnswer {
    /// A question and an answer, both as clauses without capital letters and final punctuation.
    pub(super) fn new(question: &str, answer: &[String]) -> Self {
        let answer: Vec<String> = answer.iter().map(|clause| sentence(clause)).collect();
        Self { question: format!("{}?", capitalized(question)), answer: answer.join(" ") }
    }
}

/// A seeded, unlimited source of true texts about one scene.
///
/// ```
/// use vigc_scenes::{Scene, Split, Teller};
///
/// let scene = Scene::sample(Split::Train, 7);
/// let mut teller = Teller::new(&scene, Split::Train, 7);
/// println!("{}", teller.caption());
/// println!("{}", teller.vqa().question);
/// ```
#[derive(Debug, Clone)]
pub struct Teller<'a> {
    pub(super) scene: &'a Scene,
    pub(super) split: Split,
    pub(super) rng: ChaCha8Rng,
    /// How often each object is chosen, relative to the others.
    weights: Vec<usize>,
}

/// How much more often a distinctive object is chosen.
const DISTINCTIVE_WEIGHT: usize = 6;

impl<'a> Teller<'a> {
    /// The texts for a seed. Objects that a text says are absent come from the `split` as well, so training texts never
    /// mention a combination that is held out.
    #[must_use]
    pub fn new(scene: &'a Scene, split: Split, seed: u64) -> Self {
        let weights = vec![1; scene.objects.len()];
        Self { scene, split, rng: split.rng(seed, RandomStream::Texts), weights }
    }

    /// Prefers distinctive objects: those whose color and kind, or at least whose color, no other object has. Questions
    /// about them are clear, and a model that learns from such questions confuses fewer objects in its own.
    #[must_use]
    pub fn about_distinctive_objects(mut self) -> Self {
        let alone = |of: fn(&Object) -> NounPhrase| {
            let objects = self.scene.objects.iter();
            objects.map(|object| self.scene.identifies(&of(object))).collect::<Vec<_>>()
        };
        let colors =
            alone(|object| NounPhrase::full(object).without_size().without_kind().without_cell());
        let kinds =
            alone(|object| NounPhrase::full(object).without_size().without_color().without_cell());
        let both: Vec<_> = colors.iter().zip(&kinds).map(|(color, kind)| *color && *kind).collect();
        let distinctive = if both.contains(&true) { both } else { colors };
        let weight = |&distinctive: &bool| if distinctive { DISTINCTIVE_WEIGHT } else { 1 };
        self.weights = distinctive.iter().map(weight).collect();
        self
    }

    /// An object.
    pub(super) fn any(&mut self) -> usize {
        self.any_but(None)
    }

    /// An object other than `but`.
    fn any_but(&mut self, but: Option<usize>) -> usize {
        let weights = || self.weights.iter().enumerate().filter(|&(index, _)| Some(index) != but);
        let mut rest = self.rng.random_range(0..weights().map(|(_, weight)| weight).sum());
        for (index, &weight) in weights() {
            if rest < weight {
                return index;
            }
            rest -= weight;
        }
        unreachable!("the rest is less than the sum of the weights")
    }

    /// Two different objects.
    pub(super) fn two(&mut self) -> Option<[usize; 2]> {
        if self.scene.objects.len() < 2 {
            return None;
        }
        let one = self.any();
        Some([one, self.any_but(Some(one))])
    }

    /// One of several values.
    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.rng).expect("there is something to choose from").clone()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// The phrase with color, kind and place: `the red car on the left`.
    pub(super) fn exact(&self, index: usize) -> NounPhrase {
        NounPhrase::full(&self.scene.objects[index]).without_size()
    }

    /// The phrase with color and kind, and with the place if another object has the same color and kind.
    pub(super) fn short(&self, index: usize) -> NounPhrase {
        let exact = self.exact(index);
        let short = exact.without_cell();
        if self.scene.identifies(&short) { short } else { exact }
    }

    /// Like [`short`](Self::short), without the color, for sentences that state the color.
    pub(super) fn colorless(&self, index: usize) -> NounPhrase {
        let exact = self.exact(index).without_color();
        let short = exact.without_cell();
        if self.scene.identifies(&short) { short } else { exact }
    }

    /// Like [`short`](Self::short), without the place, for sentences that state the place; `None` if another object has
    /// the same size, color and kind.
    pub(super) fn placeless(&self, index: usize) -> Option<NounPhrase> {
        let full = NounPhrase::full(&self.scene.objects[index]).without_cell();
        [full.without_size(), full].into_iter().find(|noun| self.scene.identifies(noun))
    }

    /// An object that is not in the scene, in most cases of a kind that is.
    pub(super) fn absent(&mut self) -> Option<NounPhrase> {
        let kind = if self.chance(0.6) {
            let index = self.any();
            self.scene.objects[index].kind
        } else {
            self.one(&Kind::ALL)
        };
        let color = self.one(&Color::ALL);
        let (article, size, cell) = (Article::Indefinite, None, None);
        let noun = NounPhrase { article, size, color: Some(color), kind: Some(kind), cell };
        let fits = self.split.allows(kind, color) && self.scene.matching(&noun).is_empty();
        fits.then_some(noun)
    }

    /// A sentence with a relation of the object just mentioned to another one.
    pub(super) fn relation_of_it(&mut self, index: usize, other: usize) -> Option<String> {
        let phrase = self.relation_between(index, other)?.phrase();
        Some(format!("it is {phrase} {}", self.short(other).the()))
    }

    /// One of the relations between two objects.
    pub(super) fn relation_between(&mut self, one: usize, other: usize) -> Option<Relation> {
        let cell = |index: usize| self.scene.objects[index].cell;
        let holding: Vec<Relation> = (Relation::ALL.into_iter())
            .filter(|relation| relation.holds(cell(one), cell(other)))
            .collect();
        (!holding.is_empty()).then(|| self.one(&holding))
    }
}

/// `there are two red objects`.
pub(super) fn counted(group: Group, count: usize) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("there {verb} {}", group.counted(count))
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str) -> String {
    format!("{}.", capitalized(clause))
}

pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
