//! Captions and detailed descriptions, which mention every object.

use super::teller::{QuestionAnswer, Teller, counted, listed, sentence};
use crate::noun_phrase::{Group, NounPhrase};

impl Teller<'_> {
    /// A caption: one sentence with every object, its color and its place, and sometimes the sizes and the background.
    pub fn caption(&mut self) -> String {
        let sized = self.chance(0.6);
        let items: Vec<String> = (self.scene.objects.iter())
            .map(|object| {
                let full = NounPhrase::full(object);
                if sized { full.a() } else { full.without_size().a() }
            })
            .collect();
        let list = listed(&items);
        let background = self.scene.background.name();
        sentence(&match self.one(&[0, 1, 2, 3, 4]) {
            0 => format!("there is {list}"),
            1 => format!("the picture shows {list}"),
            2 => format!("a picture of {list}"),
            3 => format!("{list} in front of a {background}"),
            _ => format!("a {background} with {list}"),
        })
    }

    /// A request to describe the picture, which mentions an object in it, and the description.
    pub fn detail(&mut self) -> QuestionAnswer {
        let asked = self.any();
        let exact = self.exact(asked).the();
        let pair = self.two().filter(|_| self.chance(0.3));
        let (first, question) = match (pair, self.one(&[0, 1, 2])) {
            (Some([one, other]), _) => {
                let both = [self.short(one).the(), self.short(other).the()];
                let both = listed(&both);
                (one, format!("can you describe the picture with {both} in detail"))
            }
            (None, 0) => (asked, format!("can you describe the picture with {exact} in detail")),
            (None, 1) => (asked, format!("what does the picture with {exact} show in detail")),
            (None, _) => (asked, format!("what do you see around {exact}")),
        };
        QuestionAnswer::new(&question, &self.description(first))
    }

    /// A description of three to six sentences. The objects after the first come in reading order.
    pub(super) fn description(&mut self, first: usize) -> Vec<String> {
        let objects = &self.scene.objects;
        let mut order: Vec<usize> = vec![first];
        order.extend((0..objects.len()).filter(|&index| index != first));
        let mut clauses = vec![counted(Group::OBJECTS, objects.len())];
        let a = |index: usize| NounPhrase::full(&objects[index]).a();
        let (alone, paired) = order.split_at(match objects.len() {
            count @ ..=4 => count,
            5 => 1,
            _ => 0,
        });
        for items in alone.chunks(1).chain(paired.chunks(2)) {
            let items: Vec<String> = items.iter().map(|&index| a(index)).collect();
            clauses.push(format!("there is {}", listed(&items)));
        }
        if objects.len() != 4 {
            clauses.extend(self.closing_relation(&order));
        }
        clauses.push(format!("the background is a {}", self.scene.background.name()));
        clauses
    }

    /// A relation of the first object to another one, or the color that they share.
    fn closing_relation(&mut self, order: &[usize]) -> Option<String> {
        let (&first, others) = order.split_first()?;
        if others.is_empty() {
            return None;
        }
        let other = self.one(others);
        let (one, two) = (self.short(first).the(), self.short(other).the());
        let [here, there] = [first, other].map(|index| self.scene.objects[index]);
        if self.chance(0.25) && here.color == there.color {
            return Some(format!("{one} and {two} are both {}", here.color.name()));
        }
        let phrase = self.relation_between(first, other)?.phrase();
        Some(format!("{one} is {phrase} {two}"))
    }
}
