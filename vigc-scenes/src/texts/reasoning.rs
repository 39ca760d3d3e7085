//! Reasoning: questions that need a purpose, a comparison, a count or two steps of thought.

use rand::Rng;

use super::teller::{QuestionAnswer, Teller, counted, listed};
use crate::attributes::{Color, Size};
use crate::judge::most_common;
use crate::noun_phrase::{Group, NounPhrase};
use crate::relation::{Extreme, Relation};
use crate::uses::Use;

type Form<T> = fn(&mut T) -> Option<QuestionAnswer>;

impl Teller<'_> {
    const REASONINGS: [Form<Self>; 11] = [
        Self::who_is_helped,
        Self::which_helps,
        Self::what_to_do,
        Self::more_than,
        Self::which_is_between,
        Self::which_is_extreme,
        Self::which_color_is_common,
        Self::what_is_shared,
        Self::what_is_left,
        Self::is_larger,
        Self::can_one,
    ];

    /// A question that takes more than looking, and its answer.
    pub fn reasoning(&mut self) -> QuestionAnswer {
        loop {
            let form = self.one(&Self::REASONINGS);
            if let Some(found) = form(self) {
                return found;
            }
        }
    }

    /// `in the picture with the red car on the left`; `None` if the chosen object is `but`.
    fn context(&mut self, but: Option<usize>) -> Option<String> {
        let index = self.any();
        let other = Some(index) != but;
        other.then(|| format!("in the picture with {}", self.exact(index).the()))
    }

    fn color_and_place_of_it(&self, index: usize) -> String {
        let object = self.scene.objects[index];
        format!("it is {} and it is {}", object.color.name(), object.cell.place())
    }

    fn who_is_helped(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let purpose = Use::of(self.scene.objects[index].kind);
        let useful = self.scene.indices(|object| purpose.kinds().contains(&object.kind));
        let context = self.context(Some(index))?;
        let question = format!("what {context} would help {}, and where is it", purpose.person());
        let [only] = *useful.as_slice() else { return None };
        let kind = self.scene.objects[only].kind.name();
        let answer = [
            format!("the {kind} would help {}", purpose.person()),
            format!("you can {} it", purpose.verb()),
            self.color_and_place_of_it(only),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn which_helps(&mut self) -> Option<QuestionAnswer> {
        let [right, wrong] = self.two()?;
        let [useful, useless] = [right, wrong].map(|index| self.scene.objects[index].kind);
        let purpose = Use::of(useful);
        if purpose.kinds().contains(&useless) {
            return None;
        }
        let nouns = if self.chance(0.5) { [right, wrong] } else { [wrong, right] };
        let nouns = nouns.map(|index| self.short(index).the());
        let person = purpose.person();
        let question = format!("should {person} use {} or {}", nouns[0], nouns[1]);
        let place = self.scene.objects[right].cell.place();
        let answer = [
            format!("{person} could use {}", self.short(right).the()),
            format!("you can {} it", purpose.verb()),
            format!("it is {place}"),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn what_to_do(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let object = self.scene.objects[index];
        let asked = if self.chance(0.5) { self.exact(index) } else { NounPhrase::full(&object) };
        let asked = asked.without_kind().the();
        let context = self.context(Some(index))?;
        let question = format!("what can you do with {asked} {context}");
        let purpose = Use::of(object.kind);
        let answer = [
            format!("it is {}", NounPhrase::full(&object).without_cell().a()),
            format!("you can {} it", purpose.verb()),
            format!("it would help {}", purpose.person()),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn more_than(&mut self) -> Option<QuestionAnswer> {
        let (left, right) = self.two_groups()?;
        let context = self.context(None)?;
        let question =
            format!("are there more {} than {} {context}", left.plural(), right.plural());
        let (a, b) = (self.scene.count(&left), self.scene.count(&right));
        let (plural, other) = (left.plural(), right.plural());
        let verdict = match a.cmp(&b) {
            std::cmp::Ordering::Greater => format!("yes, there are more {plural} than {other}"),
            std::cmp::Ordering::Less => format!("no, there are fewer {plural} than {other}"),
            std::cmp::Ordering::Equal => format!("no, there are as many {plural} as {other}"),
        };
        let answer = [counted(left, a), counted(right, b), verdict];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn two_groups(&mut self) -> Option<(Group, Group)> {
        let one = self.any();
        let object = self.scene.objects[one];
        match self.rng.random_range(0..4u8) {
            0 => Some((Group::of_size(Size::Small), Group::of_size(Size::Large))),
            1 => Some((Group::of_size(Size::Large), Group::of_size(Size::Small))),
            2 => {
                let other = self.one(&Color::ALL);
                let groups = (Group::of_color(object.color), Group::of_color(other));
                (other != object.color).then_some(groups)
            }
            _ => {
                let [one, other] = self.two()?.map(|index| self.scene.objects[index].kind);
                (one != other).then(|| (Group::of_kind(one), Group::of_kind(other)))
            }
        }
    }

    fn which_is_between(&mut self) -> Option<QuestionAnswer> {
        let [one, other] = self.two()?;
        let cell = |index: usize| self.scene.objects[index].cell;
        let middle = self.scene.indices(|object| object.cell.is_between(cell(one), cell(other)));
        let [middle] = *middle.as_slice() else { return None };
        let (first, second) = (self.short(one).the(), self.short(other).the());
        let question = format!("which object is between {first} and {second}");
        let size = self.scene.objects[middle].size.name();
        let answer = [
            format!("{} is between {first} and {second}", self.short(middle).the()),
            format!("it is {size} and it is {}", cell(middle).place()),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn which_is_extreme(&mut self) -> Option<QuestionAnswer> {
        let extreme = self.one(&Extreme::ALL);
        let relation = extreme.relation();
        let count = self.scene.objects.len();
        let furthest = (0..count)
            .find(|&index| self.scene.related(relation.inverse(), index).len() + 1 == count)?;
        let context = self.context(Some(furthest))?;
        let question = format!("which object is {} {context}", extreme.phrase());
        let answer = [
            format!("{} is {}", self.short(furthest).the(), extreme.phrase()),
            format!(
                "it is {} and it is {}",
                self.scene.objects[furthest].size.name(),
                self.scene.objects[furthest].cell.place()
            ),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn which_color_is_common(&mut self) -> Option<QuestionAnswer> {
        let color = most_common(self.scene)?;
        let group = Group::of_color(color);
        let count = self.scene.count(&group);
        if count < 2 {
            return None;
        }
        let context = self.context(None)?;
        let question = format!("what is the most common color {context}");
        let members = self.scene.indices(|object| group.holds(object));
        let mut answer =
            vec![format!("the most common color is {}", color.name()), counted(group, count)];
        if let [one, other] = *members.as_slice() {
            let both = [one, other].map(|index| self.colorless(index).the());
            answer.push(format!("{} are both {}", listed(&both), color.name()));
        }
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn what_is_shared(&mut self) -> Option<QuestionAnswer> {
        let [one, other] = self.two()?;
        let [first, second] = [one, other].map(|index| self.scene.objects[index]);
        let nouns = [one, other].map(|index| {
            NounPhrase::full(&self.scene.objects[index]).without_size().without_color().the()
        });
        let question = format!("what do {} and {} have in common", nouns[0], nouns[1]);
        let mut answer = Vec::new();
        if first.color == second.color {
            answer.push(format!("they are both {}", first.color.name()));
        }
        if first.size == second.size {
            answer.push(format!("they are both {}", first.size.name()));
        }
        if answer.is_empty() {
            return None;
        }
        if first.color != second.color {
            answer.push("they have different colors".to_owned());
        }
        if first.size != second.size {
            answer.push("they have different sizes".to_owned());
        }
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn what_is_left(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let count = self.scene.objects.len();
        let exact = self.exact(index).the();
        let question = format!("how many objects would be left without {exact}");
        let rest = Group::OBJECTS.counted(count - 1);
        let answer = [
            counted(Group::OBJECTS, count),
            format!("without {}, there would be {rest}", self.short(index).the()),
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn is_larger(&mut self) -> Option<QuestionAnswer> {
        let [one, other] = self.two()?;
        let [first, second] = [one, other].map(|index| self.scene.objects[index].size);
        let nouns = [one, other].map(|index| self.short(index).the());
        let question = format!("is {} larger than {}", nouns[0], nouns[1]);
        let verdict = match first.cmp(&second) {
            std::cmp::Ordering::Greater => format!("yes, {} is larger than {}", nouns[0], nouns[1]),
            std::cmp::Ordering::Less => format!("no, {} is smaller than {}", nouns[0], nouns[1]),
            std::cmp::Ordering::Equal => {
                format!("no, {} is the same size as {}", nouns[0], nouns[1])
            }
        };
        let answer = [
            format!("{} is {}", nouns[0], first.name()),
            format!("{} is {}", nouns[1], second.name()),
            verdict,
        ];
        Some(QuestionAnswer::new(&question, &answer))
    }

    fn can_one(&mut self) -> Option<QuestionAnswer> {
        let index = self.any();
        let kind = self.scene.objects[index].kind;
        let own = Use::of(kind);
        let asked = if self.chance(0.5) { own } else { self.one(&Use::ALL) };
        let exact = self.exact(index).the();
        let question = format!("can you {} {exact}", asked.verb());
        let short = self.short(index).the();
        let mut answer = if asked == own {
            vec![
                format!("yes, you can {} {short}", own.verb()),
                format!("it would help {}", own.person()),
            ]
        } else {
            vec![
                format!("no, you cannot {} {short}", asked.verb()),
                format!("you can {} it", own.verb()),
            ]
        };
        if let Some([_, other]) = self.two().filter(|pair| pair[0] == index) {
            let near = self.relation_between(index, other) == Some(Relation::NextTo);
            answer.extend(near.then(|| format!("it is next to {}", self.short(other).the())));
        }
        Some(QuestionAnswer::new(&question, &answer))
    }
}
