//! Conversations: questions about what is in the picture, answered in one to three sentences.
//!
//! Every question describes its object by at least two attributes, so different pictures get different questions.

use rand::Rng;

use super::teller::{QuestionAnswer, Teller, counted, listed};
use crate::noun_phrase::{Article, Group, NounPhrase};
use crate::relation::Relation;

type Form<T> = fn(&mut T) -> Option<QuestionAnswer>;

impl Teller<'_> {
    const CONVERSATIONS: [Form<Self>; 9] = [
        Self::color_and_place,
        Self::two_places,
        Self::who_is_related,
        Self::is_related,
        Self::is_there,
        Self::how_many,
        Self::what_is_behind,
        Self::size_and_neighbor,
        Self::tell_about,
    ];

    /// A question about something in the picture, and its answer.
    pub fn conversation(&mut self) -> QuestionAnswer {
        loop {
            let form = self.one(&Self::CONVERSATIONS);
            if let Some(found) = form(self) {
                return found;
            }
        }
    }

    fn color_and_place(&mut self) -> Option<QuestionAnswer> {
        let [one, other] = self.two()?;
        let (first, second) = (self.colorless(one), self.placeless(other)?);
        let object = self.scene.objects[one];
        let place = self.scene.objects[other].cell.place();
        let subject = NounPhrase::full(&object).without_color();
        let question = format!("what color is {}, and where is {}", subject.the(), second.the());
        let answer = [
            format!("{} is {}", first.the(), object.color.name()),
            format!("{} is {place}", second.the()),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn two_places(&mut self) -> Option<QuestionAnswer> {
        let [one, other] = self.two()?;
        let nouns = [self.placeless(one)?.the(), self.placeless(other)?.the()];
        let place = |index: usize| self.scene.objects[index].cell.place();
        let question = format!("where are {} and {}", nouns[0], nouns[1]);
        let answer = [
            format!("{} is {}", nouns[0], place(one)),
            format!("{} is {}", nouns[1], place(other)),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn who_is_related(&mut self) -> Option<QuestionAnswer> {
        let anchor = self.any();
        let relation = self.one(&Relation::ALL);
        let found = self.scene.related(relation, anchor);
        let (phrase, short) = (relation.phrase(), self.short(anchor).the());
        let question = format!("what is {phrase} {}", self.exact(anchor).the());
        let answer = match *found.as_slice() {
            [] if self.chance(0.5) => vec![format!("nothing is {phrase} {short}")],
            [only] => vec![
                format!("{} is {phrase} {short}", self.short(only).the()),
                self.size_and_place(only),
            ],
            [one, other] => {
                let both = [self.short(one).the(), self.short(other).the()];
                vec![format!("{} are {phrase} {short}", listed(&both))]
            }
            _ => return None,
        };
        Some(QuestionAnswer::new(&question, &answer))
    }

    /// A sentence about the object just mentioned.
    fn size_and_place(&mut self, index: usize) -> String {
        let object = self.scene.objects[index];
        format!("it is {} and it is {}", object.size.name(), object.cell.place())
    }

    fn is_related(&mut self) -> Option<QuestionAnswer> {
        let [one, other] = self.two()?;
        let relation = self.one(&Relation::ALL);
        let [here, there] = [one, other].map(|index| self.scene.objects[index].cell);
        let (first, second) = (self.short(one), self.short(other));
        let phrase = relation.phrase();
        let question = format!("is {} {phrase} {}", first.the(), second.the());
        let place = format!("{} is {}", second.without_cell().the(), there.place());
        let place = if second.cell.is_some() { self.size_of(other) } else { place };
        let answer = if relation.holds(here, there) {
            vec![format!("yes, {} is {phrase} {}", first.the(), second.the()), place]
        } else if self.chance(0.6) {
            vec![format!("no, {} is not {phrase} {}", first.the(), second.the()), place]
        } else {
            return None;
        };
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn size_of(&self, index: usize) -> String {
        format!("{} is {}", self.short(index).the(), self.scene.objects[index].size.name())
    }

    fn is_there(&mut self) -> Option<QuestionAnswer> {
        let context = self.any();
        let suffix = format!("in the picture with {}", self.exact(context).the());
        if self.chance(0.5) {
            let index = self.any();
            let object = self.scene.objects[index];
            let noun = NounPhrase { article: Article::Indefinite, ..NounPhrase::full(&object) };
            let asked = noun.without_size().without_cell();
            if index == context {
                return None;
            }
            let question = format!("is there {} {suffix}", asked.a());
            let answer = [
                format!("yes, there is {}", noun.without_size().a()),
                format!("it is {}", object.size.name()),
            ];
            let answer = if self.scene.identifies(&asked) { &answer[..] } else { &answer[..1] };
            return Some(QuestionAnswer::new(&question, answer));
        }
        let asked = self.absent()?;
        let question = format!("is there {} {suffix}", asked.a());
        let mut answer = vec![format!("no, there is no {} in the picture", asked.bare())];
        answer.extend(self.near_miss(asked));
        Some(QuestionAnswer::new(&question, &answer))
    }

    /// The color of the object that was asked for in another color.
    fn near_miss(&self, asked: NounPhrase) -> Option<String> {
        let kind = asked.without_color();
        let [only] = *self.scene.matching(&kind).as_slice() else { return None };
        let color = self.scene.objects[only].color.name();
        Some(format!("the {} is {color}", kind.bare()))
    }

    fn how_many(&mut self) -> Option<QuestionAnswer> {
        let context = self.any();
        let index = self.any();
        let object = self.scene.objects[index];
        let group = match self.rng.random_range(0..5u8) {
            0 | 1 => Group::of_color(object.color),
            2 => Group::of_kind(object.kind),
            3 => Group::of_size(object.size),
            _ => Group::OBJECTS,
        };
        let members = self.scene.indices(|object| group.holds(object));
        let exact = self.exact(context).the();
        let question = format!("how many {} are in the picture with {exact}", group.plural());
        let mut answer = vec![counted(group, members.len())];
        let named: Vec<NounPhrase> = members.iter().filter_map(|&i| self.placeless(i)).collect();
        if let ([only], [_]) = (members.as_slice(), named.as_slice()) {
            answer.push(self.what_it_is(*only, group));
        } else if members.len() == 2 && named.len() == 2 {
            for (noun, &member) in named.iter().zip(&members) {
                let place = self.scene.objects[member].cell.place();
                answer.push(format!("{} is {place}", noun.the()));
            }
        }
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn what_it_is(&self, index: usize, group: Group) -> String {
        let object = self.scene.objects[index];
        if group.kind.is_some() {
            return format!("it is {} and it is {}", object.color.name(), object.cell.place());
        }
        format!("it is {}", self.exact(index).without_cell().a())
    }

    fn what_is_behind(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let noun = self.exact(index);
        let question = format!("what is behind {}", noun.the());
        let background = self.scene.background.name();
        let first = if self.chance(0.5) {
            format!("behind {} there is a {background}", self.short(index).the())
        } else {
            format!("the background is a {background}")
        };
        let answer = [first, self.size_of(index)];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn size_and_neighbor(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let question = format!("what size is {}, and what is next to it", self.exact(index).the());
        let short = self.short(index).the();
        let second = match *self.scene.related(Relation::NextTo, index).as_slice() {
            [] => format!("nothing is next to {short}"),
            [only] => format!("{} is next to {short}", self.short(only).the()),
            [one, other] => {
                let both = [self.short(one).the(), self.short(other).the()];
                format!("{} are next to {short}", listed(&both))
            }
            _ => return None,
        };
        Some(QuestionAnswer::new(&question, &[self.size_of(index), second]))
    }

    fn tell_about(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let object = self.scene.objects[index];
        let asked = match self.rng.random_range(0..3u8) {
            0 => self.exact(index).without_kind(),
            1 => NounPhrase::full(&object).without_color(),
            _ => self.exact(index),
        };
        let question = format!("what can you say about {}", asked.the());
        let full = NounPhrase::full(&object).without_cell();
        let mut answer =
            vec![format!("it is {}", full.a()), format!("it is {}", object.cell.place())];
        if let Some([_, other]) = self.two().filter(|pair| pair[0] == index) {
            answer.extend(self.relation_of_it(index, other));
        }
        Some(QuestionAnswer::new(&question, &answer))
    }
}
