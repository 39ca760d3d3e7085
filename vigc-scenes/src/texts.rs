//! The texts that go with a scene: captions, dialogues and questions with short answers.

mod caption;
mod conversation;
mod detail;
mod mistaken;
mod reasoning;
mod vqa;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use vqa::{VqaItem, VqaKind};

use super::noun::Noun;
use super::{Object, Purpose, Scene, Split};

/// The three kinds of dialogue that LLaVA's data has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialogue {
    /// A question about something in the picture and one to three sentences.
    Conversation,
    /// A description of everything.
    Detail,
    /// A question that needs more than looking, and two to four sentences.
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

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// The question.
    pub question: String,
    /// The answer, one sentence or more.
    pub answer: String,
}

impl QuestionAnswer {
    fn new(question: &str, answer: &[String]) -> Self {
        let answer: Vec<String> = answer.iter().map(|clause| sentence(clause)).collect();
        Self { question: format!("{}?", capitalized(question)), answer: answer.join(" ") }
    }
}

/// A seeded source of true texts about one scene; it never runs dry.
#[derive(Debug, Clone)]
pub struct Teller<'a> {
    scene: &'a Scene,
    split: Split,
    rng: ChaCha8Rng,
    /// How often each object is spoken of, relative to the others.
    weights: Vec<usize>,
}

/// How much more often what stands out is spoken of by who chooses what to ask.
const STANDS_OUT: usize = 6;

impl<'a> Teller<'a> {
    /// The texts of a seed. Things that are said not to be there respect the `split`, too, so that
    /// the training texts never name a combination that is held out.
    #[must_use]
    pub fn new(scene: &'a Scene, split: Split, seed: u64) -> Self {
        let weights = vec![1; scene.objects.len()];
        Self { scene, split, rng: split.rng(seed, Purpose::Texts), weights }
    }

    /// Speaks mostly of objects whose color and kind, or at least whose color, no other has. A question
    /// that is to be understood is about such an object; and a model that learns from such questions
    /// mixes up fewer objects in its own.
    #[must_use]
    pub fn about_what_stands_out(mut self) -> Self {
        let alone = |of: fn(&Object) -> Noun| {
            let objects = self.scene.objects.iter();
            objects.map(|object| self.scene.identifies(&of(object))).collect::<Vec<_>>()
        };
        let colors =
            alone(|object| Noun::full(object).without_size().without_kind().without_cell());
        let kinds =
            alone(|object| Noun::full(object).without_size().without_color().without_cell());
        let both: Vec<_> = colors.iter().zip(&kinds).map(|(color, kind)| *color && *kind).collect();
        let stands_out = if both.contains(&true) { both } else { colors };
        let weight = |&stands_out: &bool| if stands_out { STANDS_OUT } else { 1 };
        self.weights = stands_out.iter().map(weight).collect();
        self
    }

    /// A question and answer of the given kind.
    pub fn dialogue(&mut self, dialogue: Dialogue) -> QuestionAnswer {
        match dialogue {
            Dialogue::Conversation => self.conversation(),
            Dialogue::Detail => self.detail(),
            Dialogue::Reasoning => self.reasoning(),
        }
    }

    /// Any object.
    fn any(&mut self) -> usize {
        self.any_but(None)
    }

    /// Any object but one.
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
    fn two(&mut self) -> Option<[usize; 2]> {
        if self.scene.objects.len() < 2 {
            return None;
        }
        let one = self.any();
        Some([one, self.any_but(Some(one))])
    }

    /// One of several.
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.rng).expect("there is something to choose from").clone()
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// The color, the kind and the place: `the red car on the left`.
    fn exact(&self, index: usize) -> Noun {
        Noun::full(&self.scene.objects[index]).without_size()
    }

    /// The color and the kind, and the place if another object has the same.
    fn short(&self, index: usize) -> Noun {
        let exact = self.exact(index);
        let short = exact.without_cell();
        if self.scene.identifies(&short) { short } else { exact }
    }

    /// As [`Self::short`] without the color, for sentences that tell it.
    fn colorless(&self, index: usize) -> Noun {
        let exact = self.exact(index).without_color();
        let short = exact.without_cell();
        if self.scene.identifies(&short) { short } else { exact }
    }

    /// As [`Self::short`] without the place, for sentences that tell it; `None` if another object
    /// has the same size, color and kind.
    fn placeless(&self, index: usize) -> Option<Noun> {
        let full = Noun::full(&self.scene.objects[index]).without_cell();
        [full.without_size(), full].into_iter().find(|noun| self.scene.identifies(noun))
    }
}

/// The clause as a sentence.
fn sentence(clause: &str) -> String {
    format!("{}.", capitalized(clause))
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
