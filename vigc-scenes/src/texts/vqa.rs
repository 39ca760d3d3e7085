//! Questions with short answers, most of them with choices.

use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::teller::{Teller, capitalized};
use crate::attributes::{Background, Cell, Color, Kind, Size};
use crate::noun_phrase::{Article, Group, NUMBERS, NounPhrase, number_word};
use crate::relation::Relation;

/// What a short question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VqaKind {
    /// The color of an object.
    Color,
    /// The size of an object.
    Size,
    /// The number of objects in a group.
    Count,
    /// The object at a place.
    What,
    /// The place of an object.
    Where,
    /// The object in a relation to another one.
    Relation,
    /// The background.
    Background,
    /// Whether something is true.
    YesNo,
}

impl VqaKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Color,
        Self::Size,
        Self::Count,
        Self::What,
        Self::Where,
        Self::Relation,
        Self::Background,
        Self::YesNo,
    ];

    /// The name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Color => "color",
            Self::Size => "size",
            Self::Count => "count",
            Self::What => "what",
            Self::Where => "where",
            Self::Relation => "relation",
            Self::Background => "background",
            Self::YesNo => "yes_no",
        }
    }
}

/// A question with its short answers and, for most kinds, four choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VqaItem {
    /// What the question is about.
    pub kind: VqaKind,
    /// The question.
    pub question: String,
    /// The correct answers. Training uses the first.
    pub answers: Vec<String>,
    /// Four different answers, one of them correct; empty if there are not enough wrong ones, as for yes and no.
    pub choices: Vec<String>,
    /// The index of the correct choice.
    pub correct_choice_idx: usize,
}

impl VqaItem {
    /// Whether an answer is correct. Case, articles, prepositions, punctuation, and whether numbers are words or digits
    /// do not matter.
    #[must_use]
    pub fn accepts(&self, answer: &str) -> bool {
        let answer = normalized(answer);
        self.answers.iter().any(|right| normalized(right) == answer)
    }
}

/// The words of an answer that matter, with numbers as digits.
fn normalized(answer: &str) -> Vec<String> {
    const IGNORED: [&str; 8] = ["a", "an", "the", "at", "on", "in", "there", "is"];
    let lower = answer.to_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !IGNORED.contains(word))
        .collect();
    let number = |word: &str| NUMBERS.iter().skip(1).position(|&name| name == word);
    words
        .into_iter()
        .map(|word| match number(word) {
            Some(index) => (index + 1).to_string(),
            None if word == "grey" => "gray".to_owned(),
            None => word.to_owned(),
        })
        .collect()
}

impl Teller<'_> {
    /// A question with a short answer.
    pub fn vqa(&mut self) -> VqaItem {
        loop {
            let kind = self.one(&VqaKind::ALL);
            if let Some(item) = self.vqa_of(kind) {
                return item;
            }
        }
    }

    /// A question of the given kind; `None` if this attempt finds nothing unambiguous to ask.
    pub fn vqa_of(&mut self, kind: VqaKind) -> Option<VqaItem> {
        let (question, answers, all) = match kind {
            VqaKind::Color => self.ask_color()?,
            VqaKind::Size => self.ask_size()?,
            VqaKind::Count => self.ask_count(),
            VqaKind::What => self.ask_what(),
            VqaKind::Where => self.ask_where()?,
            VqaKind::Relation => self.ask_relation()?,
            VqaKind::Background => self.ask_background(),
            VqaKind::YesNo => self.ask_yes_no()?,
        };
        let (choices, correct_choice_idx) = self.choose(&answers, &all);
        let question = format!("{}?", capitalized(&question));
        Some(VqaItem { kind, question, answers, choices, correct_choice_idx })
    }

    /// The first answer and three other values of `all` in random order, with the answer's index; empty if there are not
    /// enough values.
    fn choose(&mut self, answers: &[String], all: &[&str]) -> (Vec<String>, usize) {
        let mut others: Vec<&str> = all
            .iter()
            .copied()
            .filter(|other| answers.iter().all(|answer| answer != other))
            .collect();
        if others.len() < 3 {
            return (Vec::new(), 0);
        }
        others.shuffle(&mut self.rng);
        let mut choices: Vec<String> = others[..3].iter().map(|&other| other.to_owned()).collect();
        let index = self.rng.random_range(0..4usize);
        choices.insert(index, answers[0].clone());
        (choices, index)
    }

    /// A phrase without one attribute that still identifies the object.
    fn without(&mut self, index: usize, drop: fn(NounPhrase) -> NounPhrase) -> Option<NounPhrase> {
        let full = drop(NounPhrase::full(&self.scene.objects[index]));
        let all = [
            full.without_size().without_cell(),
            full.without_size().without_color(),
            full.without_cell().without_color(),
            full.without_size(),
            full,
        ];
        let fitting: Vec<NounPhrase> =
            all.into_iter().filter(|noun| self.scene.identifies(noun)).collect();
        (!fitting.is_empty()).then(|| self.one(&fitting))
    }

    fn ask_color(&mut self) -> Option<Asked> {
        let index = self.any();
        let noun = self.without(index, NounPhrase::without_color)?;
        let color = self.scene.objects[index].color.name();
        let all = Color::ALL.map(Color::name).to_vec();
        Some((format!("what color is {}", noun.the()), vec![color.to_owned()], all))
    }

    fn ask_size(&mut self) -> Option<Asked> {
        let index = self.any();
        let noun = self.without(index, NounPhrase::without_size)?;
        let size = self.scene.objects[index].size.name();
        let all = Size::ALL.map(Size::name).to_vec();
        Some((format!("what size is {}", noun.the()), vec![size.to_owned()], all))
    }

    fn ask_count(&mut self) -> Asked {
        let object = self.scene.objects[self.any()];
        let group = match self.rng.random_range(0..6u8) {
            0 | 1 => Group::of_color(object.color),
            2 | 3 => Group::of_kind(object.kind),
            4 => Group::of_size(object.size),
            _ => Group::OBJECTS,
        };
        let count = number_word(self.scene.count(&group));
        let all = vec!["one", "two", "three", "four", "five", "six"];
        (format!("how many {} are there", group.plural()), vec![count.to_owned()], all)
    }

    fn ask_what(&mut self) -> Asked {
        let object = self.scene.objects[self.any()];
        let kind = object.kind.name();
        let all = Kind::ALL.map(Kind::name).to_vec();
        (format!("what is {}", object.cell.place()), vec![kind.to_owned()], all)
    }

    fn ask_where(&mut self) -> Option<Asked> {
        let index = self.any();
        let noun = self.without(index, NounPhrase::without_cell)?;
        let cell = self.scene.objects[index].cell;
        let all = Cell::ALL.map(Cell::name).to_vec();
        let answers = vec![cell.name().to_owned(), cell.place().to_owned()];
        Some((format!("where is {}", noun.the()), answers, all))
    }

    fn ask_relation(&mut self) -> Option<Asked> {
        let anchor = self.any();
        let relation = self.one(&Relation::ALL);
        let [only] = *self.scene.related(relation, anchor).as_slice() else { return None };
        let kind = self.scene.objects[only].kind.name();
        let question = format!("what is {} {}", relation.phrase(), self.short(anchor).the());
        Some((question, vec![kind.to_owned()], Kind::ALL.map(Kind::name).to_vec()))
    }

    fn ask_background(&mut self) -> Asked {
        let name = self.scene.background.name();
        let all = Background::ALL.map(Background::name).to_vec();
        ("what is the background".to_owned(), vec![name.to_owned()], all)
    }

    /// A question whose answer is yes or no with equal probability.
    fn ask_yes_no(&mut self) -> Option<Asked> {
        let yes = self.chance(0.5);
        let question = (0..50).find_map(|_| match self.rng.random_range(0..4u8) {
            0 | 1 => self.is_it_there(yes),
            2 => self.is_it_so(yes),
            _ => self.is_it_related(yes),
        })?;
        let answer = if yes { "yes" } else { "no" };
        Some((question, vec![answer.to_owned()], Vec::new()))
    }

    fn is_it_there(&mut self, yes: bool) -> Option<String> {
        let noun = if yes {
            let object = self.scene.objects[self.any()];
            let noun = NounPhrase { article: Article::Indefinite, ..NounPhrase::full(&object) };
            noun.without_size().without_cell()
        } else {
            self.absent()?
        };
        let noun = if self.chance(0.25) { noun.without_color() } else { noun };
        let fits = self.scene.matching(&noun).is_empty() != yes;
        fits.then(|| format!("is there {}", noun.a()))
    }

    fn is_it_so(&mut self, yes: bool) -> Option<String> {
        let index = self.any();
        let object = self.scene.objects[index];
        if self.chance(0.6) {
            let noun = self.without(index, NounPhrase::without_color)?;
            let color = if yes { object.color } else { self.one(&Color::ALL) };
            let allowed = self.split.allows(object.kind, color);
            let fits = allowed && (color == object.color) == yes;
            return fits.then(|| format!("is {} {}", noun.the(), color.name()));
        }
        let noun = self.without(index, NounPhrase::without_size)?;
        let size = self.one(&Size::ALL);
        ((size == object.size) == yes).then(|| format!("is {} {}", noun.the(), size.name()))
    }

    fn is_it_related(&mut self, yes: bool) -> Option<String> {
        let [one, other] = self.two()?;
        let relation = self.one(&Relation::ALL);
        let [here, there] = [one, other].map(|index| self.scene.objects[index].cell);
        let (one, other) = (self.short(one).the(), self.short(other).the());
        (relation.holds(here, there) == yes)
            .then(|| format!("is {one} {} {other}", relation.phrase()))
    }
}

/// A question, its answers, and all values that an answer could have.
type Asked = (String, Vec<String>, Vec<&'static str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_by_what_they_say() {
        let item = |answers: &[&str]| VqaItem {
            kind: VqaKind::What,
            question: String::new(),
            answers: answers.iter().map(|&answer| answer.to_owned()).collect(),
            choices: Vec::new(),
            correct_choice_idx: 0,
        };
        let cases = [
            ("top left", "At the top left.", true),
            ("top left", "left", false),
            ("two", "2", true),
            ("two", "Two", true),
            ("two", "three", false),
            ("gray road", "a grey road", true),
            ("yes", "yes.", true),
            ("yes", "no", false),
            ("apple", "an apple", true),
            ("apple", "", false),
        ];
        for (right, answer, accepted) in cases {
            assert_eq!(item(&[right]).accepts(answer), accepted, "{right} / {answer}");
        }
    }
}
