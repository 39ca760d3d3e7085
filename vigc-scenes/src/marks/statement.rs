//! What is said of a scene, whatever the words.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::claim::{Claim, Property, Trait};
use crate::judge::{Judge, Verdict};
use crate::noun::{Group, Noun};
use crate::{Extreme, Object, Relation};

/// Something true that is said of a scene, whatever the words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Statement {
    /// One thing about one object.
    Of(usize, Aspect),
    /// How two objects stand to each other, the first of them first.
    Between([usize; 2], Aspect),
    /// Where the first of two objects is as seen from the second; the first has the smaller index.
    Related(usize, Relation, usize),
    /// That something does not hold, and what rules it out as well, if anything does.
    Denied(String, Option<Box<Self>>),
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
pub(super) enum Aspect {
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
    /// Whether it is said, or what is said rules out what it denies: who is blue is not red. A denial tells nothing else,
    /// or an answer that only says what things are not would be complete.
    fn is_told_by(&self, said: &HashSet<Self>) -> bool {
        let ruled_out = matches!(self, Self::Denied(_, Some(instead)) if said.contains(&**instead));
        said.contains(self) || ruled_out
    }
}

/// How many statements are told. Yes or no goes without saying where all the rest is said.
pub(super) fn told(expected: &HashSet<Statement>, said: &HashSet<Statement>) -> usize {
    let told = expected.iter().filter(|statement| statement.is_told_by(said)).count();
    let only_reply_is_left =
        told + 1 == expected.len() && told > 0 && !Statement::Reply.is_told_by(said);
    if only_reply_is_left && expected.contains(&Statement::Reply) { told + 1 } else { told }
}

/// What claims that are true say, heard one after the other.
pub(super) fn statements(mut judge: Judge<'_>, claims: &[Claim]) -> Vec<Statement> {
    let mut found = Vec::new();
    for claim in claims {
        let before = judge.clone();
        if judge.hear(claim) == Verdict::True {
            found.extend(of_claim(&before, &judge, claim));
        }
    }
    found
}

/// What a true claim says. Whom it is about is clear `after` it was heard, and what else it names was `before`.
fn of_claim(before: &Judge<'_>, after: &Judge<'_>, claim: &Claim) -> Vec<Statement> {
    let it = after.it().first().copied();
    match claim {
        Claim::Exists(noun) => it.map_or_else(Vec::new, |object| described(object, *noun)),
        // `Behind the car there is a wall` takes the car for granted.
        Claim::Is { subject, property: Property::Such(noun), holds: true } if subject == noun => {
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
        Claim::Absent(Noun { size, color, kind, cell, .. }) => {
            vec![Statement::Absent(format!("{size:?} {color:?} {kind:?} {cell:?}"))]
        }
        Claim::Nothing(property) => vec![nothing(before, property)],
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
    let objects = &judge.scene().objects;
    let of = |aspect| vec![Statement::Of(object, aspect)];
    match property {
        Property::Color(_) => of(Aspect::Color),
        Property::Size(_) => of(Aspect::Size),
        Property::Place(_) => of(Aspect::Place),
        Property::Such(noun) => described(object, *noun),
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

/// Objects other than one that a phrase may mean.
fn others(judge: &Judge<'_>, object: usize, noun: Noun) -> impl Iterator<Item = usize> {
    judge.referents(noun).into_iter().filter(move |&other| other != object)
}

/// `to the left of` one way is `to the right of` the other way.
fn related(one: usize, relation: Relation, other: usize) -> Statement {
    if one < other {
        Statement::Related(one, relation, other)
    } else {
        Statement::Related(other, relation.inverse(), one)
    }
}

/// That an object is not so. What it is instead tells that, too; only what one can do with it does not.
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
        (Property::Such(noun), _) => {
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

/// What of a phrase does not fit an object.
fn wrong_in(object: &Object, noun: Noun) -> Noun {
    Noun {
        size: noun.size.filter(|&size| size != object.size),
        color: noun.color.filter(|&color| color != object.color),
        kind: noun.kind.filter(|&kind| kind != object.kind),
        cell: noun.cell.filter(|&cell| cell != object.cell),
        ..noun
    }
}

/// That two objects agree, or differ: to say which is larger says that, too, but not the other way round.
fn alike(pair: [usize; 2], by: Trait, same: bool) -> Statement {
    let aspect = match by {
        Trait::Color => Aspect::Color,
        Trait::Size => Aspect::Size,
    };
    let agree = Statement::Between(pair, aspect);
    if same {
        return agree;
    }
    let what = match by {
        Trait::Color => format!("color {pair:?}"),
        Trait::Size => format!("{:?} {pair:?}", Ordering::Equal),
    };
    Statement::Denied(what, Some(Box::new(agree)))
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

fn sorted(one: usize, other: usize) -> [usize; 2] {
    [one.min(other), one.max(other)]
}

/// `More of these than of those` and `fewer of those than of these` are one statement.
fn compared(left: Group, right: Group) -> Statement {
    let mut groups = [format!("{left:?}"), format!("{right:?}")];
    groups.sort();
    Statement::Number(groups.join(" against "))
}
