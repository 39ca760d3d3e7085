//! Facts about scenes as the language model reads them: which fact each soft token carries, and facts as embedding bags.
//!
//! A fact is a short list of words. Its embedding bag is one vector, the sum of the embeddings of its tokens.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_scenes::{Background, Cell, Color, Focus, Kind, Object, Scene, Size};

use crate::data::scenes::fact;
use crate::error::{Result, TrainError};

/// The text of a slot without a fact. It is a word, because the language model normalizes its inputs: in an almost empty
/// slot, the noise would look as large as a fact.
pub(super) const NOTHING: &str = "nothing";

/// The text of the last focus token if a question is about an object that is not there. The other focus tokens show similar
/// objects, and from those alone a language model does not learn to say that the object is missing.
pub(super) const MISSING: &str = "no";

/// Checks that there is a slot for every place, for the background and for each focus token.
pub(super) fn check_slots(slots: usize, focus: usize) -> Result<()> {
    if slots > Cell::ALL.len() + focus {
        return Ok(());
    }
    Err(TrainError::Setting {
        key: "model.num_query_tokens",
        value: slots.to_string(),
        expected: "at least one query for each of the nine places, the background and each focus token",
    })
}

/// The facts of a scene for `slots` soft tokens: the object in each place, in reading order, [`NOTHING`] for an empty place,
/// and the background.
pub(super) fn place_facts(scene: &Scene, slots: usize) -> Vec<String> {
    let object = |&cell: &Cell| match scene.at(cell) {
        Some(index) => fact_of(&scene.objects[index]),
        None => NOTHING.to_owned(),
    };
    let mut facts: Vec<_> = Cell::ALL.iter().map(object).collect();
    facts.push(scene.background.name().to_owned());
    facts.resize(slots, NOTHING.to_owned());
    facts
}

/// The facts for `slots` focus tokens: the first objects to look at, and in the last slot [`MISSING`] or [`NOTHING`].
pub(super) fn focus_facts(scene: &Scene, focus: &Focus, slots: usize) -> Vec<String> {
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

/// Embedding bags: tokens whose embeddings are summed, `[bags, width]`, with weight 0 for padding.
#[derive(Debug)]
pub(super) struct EmbeddingBags {
    ids: Vec<i32>,
    weights: Vec<f32>,
    shape: [usize; 2],
}

impl EmbeddingBags {
    pub(super) fn new(slots: impl IntoIterator<Item = Vec<u32>>) -> Self {
        let slots: Vec<_> = slots.into_iter().collect();
        let width = slots.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let (mut ids, mut weights) = (Vec::new(), Vec::new());
        for slot in &slots {
            ids.extend(slot.iter().map(|&id| id.cast_signed()));
            ids.resize(ids.len() + width - slot.len(), 0);
            weights.resize(weights.len() + slot.len(), 1.0);
            weights.resize(weights.len() + width - slot.len(), 0.0);
        }
        Self { ids, weights, shape: [slots.len(), width] }
    }

    /// The sums of the embeddings.
    ///
    /// # Shapes
    ///
    /// `[bags, hidden]`
    pub(super) fn embed(
        self,
        embed: impl Fn(Tensor<2, Int>) -> Tensor<3>,
        device: &Device,
    ) -> Tensor<2> {
        let [slots, width] = self.shape;
        let words = embed(Tensor::from_data(TensorData::new(self.ids, self.shape), device));
        let weights = TensorData::new(self.weights, [slots, width, 1]);
        (words * Tensor::from_data(weights, device)).sum_dim(1).squeeze_dim(1)
    }
}

/// The embedding bags of all facts.
#[derive(Debug)]
pub(super) struct FactTable {
    /// The bags, `[2 + places * objects + backgrounds, hidden]`: nothing, every object in each place, missing, and the
    /// backgrounds.
    pub(super) table: Tensor<2>,
    rows: HashMap<String, usize>,
}

impl FactTable {
    /// The number of places.
    pub(super) const PLACES: usize = Cell::ALL.len();
    /// The number of objects that may stand in a place.
    pub(super) const OBJECTS: usize = Size::ALL.len() * Color::ALL.len() * Kind::ALL.len();
    /// The row of [`NOTHING`].
    pub(super) const NOTHING: usize = 0;
    /// The row of [`MISSING`].
    pub(super) const MISSING: usize = 1 + Self::PLACES * Self::OBJECTS;

    /// The bags of a model's language model.
    pub(super) fn new(model: &InstructBlip) -> Result<Self> {
        let texts = texts();
        let tokens = |text: &String| model.text_tokenizer().encode_pieces(text);
        let bags = EmbeddingBags::new(texts.iter().map(tokens).collect::<Result<Vec<_>, _>>()?);
        let llama = &model.network().language_model;
        Ok(Self {
            table: bags.embed(|ids| llama.embed(ids), &llama.device()),
            rows: texts.into_iter().enumerate().map(|(row, text)| (text, row)).collect(),
        })
    }

    /// The row of a fact.
    ///
    /// # Panics
    ///
    /// Panics if there is no such fact.
    pub(super) fn row(&self, text: &str) -> usize {
        self.rows[text]
    }
}

/// All facts in the order of the table.
fn texts() -> Vec<String> {
    let mut texts = vec![NOTHING.to_owned()];
    for cell in Cell::ALL {
        for size in Size::ALL {
            for color in Color::ALL {
                texts.extend(Kind::ALL.map(|kind| fact(size, color, kind, cell)));
            }
        }
    }
    texts.push(MISSING.to_owned());
    texts.extend(Background::ALL.map(|background| background.name().to_owned()));
    texts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vigc_scenes::Split;

    use super::*;

    #[test]
    fn focus_tokens_repeat_facts_of_places() {
        let scene = Scene::sample(Split::Train, 4);
        let told = place_facts(&scene, 12);
        assert_eq!((told.len(), &*told[9]), (12, scene.background.name()));
        let facts = told.iter().filter(|told| *told != NOTHING);
        assert_eq!(facts.count(), scene.objects.len() + 1);
        let last = scene.objects.len() - 1;
        let mut look = Focus { missing: false, objects: vec![last] };
        let fact = &told[scene.objects[last].cell.index()];
        assert_eq!(focus_facts(&scene, &look, 4), [fact, NOTHING, NOTHING, NOTHING]);
        look.missing = true;
        assert_eq!(focus_facts(&scene, &look, 4), [fact, NOTHING, NOTHING, MISSING]);
    }

    #[test]
    fn facts_are_distinct_and_grouped_by_place() {
        let texts = texts();
        assert_eq!(texts.len(), 2 + FactTable::PLACES * FactTable::OBJECTS + Background::ALL.len());
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len());
        for (place, cell) in Cell::ALL.into_iter().enumerate() {
            let objects = &texts[1 + place * FactTable::OBJECTS..][..FactTable::OBJECTS];
            assert!(objects.iter().all(|text| text.ends_with(cell.name())));
        }
        assert_eq!(texts[FactTable::NOTHING], NOTHING);
        assert_eq!(texts[FactTable::MISSING], MISSING);
    }
}
