//! Which fact stands in which soft token.

use crate::data::scenes::fact;
use crate::error::{Result, TrainError};
use vigc_scenes::{Cell, Focus, Object, Scene};

/// What a slot says that has nothing to tell. A word, because the language model norms what it reads: of
/// a slot that is nearly empty it would see the noise as large as any fact.
pub(super) const NOTHING: &str = "nothing";

/// What the last focus token says where a question is about what is not there. The others show the
/// things that come near, and from those alone a language model does not learn to deny.
pub(super) const MISSING: &str = "no";

/// Makes sure that there is a slot for every fact beside the focus tokens.
pub(super) fn check(slots: usize, focus: usize) -> Result<()> {
    if slots > Cell::ALL.len() + focus {
        return Ok(());
    }
    Err(TrainError::Setting {
        key: "model.num_query_tokens",
        value: slots.to_string(),
        expected: "a query for each of nine places, the background and each focus token",
    })
}

/// The facts of a scene in `slots` slots: the object of each place in reading order, nothing where
/// none stands, then the background.
pub(super) fn places(scene: &Scene, slots: usize) -> Vec<String> {
    let object = |&cell: &Cell| match scene.at(cell) {
        Some(index) => fact_of(&scene.objects[index]),
        None => NOTHING.to_owned(),
    };
    let mut facts: Vec<_> = Cell::ALL.iter().map(object).collect();
    facts.push(scene.background.name().to_owned());
    facts.resize(slots, NOTHING.to_owned());
    facts
}

/// The facts of the first of the objects to look at and, in the last of the `slots`, whether something
/// is missing; nothing in no slots.
pub(super) fn focus(scene: &Scene, focus: &Focus, slots: usize) -> Vec<String> {
    let Some(objects) = slots.checked_sub(1) else { return Vec::new() };
    let facts = focus.objects.iter().map(|&index| fact_of(&scene.objects[index]));
    let mut facts: Vec<_> = facts.take(objects).collect();
    facts.resize(objects, NOTHING.to_owned());
    facts.push(if focus.missing { MISSING } else { NOTHING }.to_owned());
    facts
}

fn fact_of(object: &Object) -> String {
    fact(object.size, object.color, object.kind, object.cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigc_scenes::Split;

    #[test]
    fn places_come_first_and_what_is_looked_at_comes_again() {
        let scene = Scene::sample(Split::Train, 4);
        let told = places(&scene, 12);
        assert_eq!((told.len(), &*told[9]), (12, scene.background.name()));
        let facts = told.iter().filter(|told| *told != NOTHING);
        assert_eq!(facts.count(), scene.objects.len() + 1);
        let last = scene.objects.len() - 1;
        let mut look = Focus { missing: false, objects: vec![last] };
        let fact = &told[scene.objects[last].cell.index()];
        assert_eq!(focus(&scene, &look, 4), [fact, NOTHING, NOTHING, NOTHING]);
        look.missing = true;
        assert_eq!(focus(&scene, &look, 4), [fact, NOTHING, NOTHING, MISSING]);
    }
}
