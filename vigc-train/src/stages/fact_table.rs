//! Everything that can be told of a place, as the language model reads it in one vector.

use std::collections::HashMap;

use burn::tensor::Tensor;

use super::language::Bags;
use super::slots;
use crate::data::scenes::fact;
use crate::error::Result;
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_scenes::{Background, Cell, Color, Kind, Size};

/// Objects that may stand in a place.
pub(super) const OBJECTS: usize = Size::ALL.len() * Color::ALL.len() * Kind::ALL.len();
/// Places.
pub(super) const PLACES: usize = Cell::ALL.len();
/// The bag of nothing at all.
pub(super) const NOTHING: usize = 0;
/// The bag of what is missing.
pub(super) const MISSING: usize = 1 + PLACES * OBJECTS;

/// The bags of a language model.
#[derive(Debug)]
pub(super) struct FactTable {
    /// Every bag, `[2 + places * objects + backgrounds, hidden]`.
    pub(super) table: Tensor<2>,
    rows: HashMap<String, usize>,
}

impl FactTable {
    /// The sums of the embeddings of each text's tokens.
    pub(super) fn new(model: &InstructBlip) -> Result<Self> {
        let texts = texts();
        let tokens = |text: &String| model.text_tokenizer().encode_pieces(text);
        let bags = Bags::new(texts.iter().map(tokens).collect::<Result<Vec<_>, _>>()?);
        let llama = &model.network().language_model;
        Ok(Self {
            table: bags.embed(|ids| llama.embed(ids), &llama.device()),
            rows: texts.into_iter().enumerate().map(|(row, text)| (text, row)).collect(),
        })
    }

    /// The row of a text; panics if there is none.
    pub(super) fn row(&self, text: &str) -> usize {
        self.rows[text]
    }
}

/// Every text that a slot can hold: nothing, each object in each place, what is missing, each
/// background.
fn texts() -> Vec<String> {
    let mut texts = vec![slots::NOTHING.to_owned()];
    for cell in Cell::ALL {
        for size in Size::ALL {
            for color in Color::ALL {
                texts.extend(Kind::ALL.map(|kind| fact(size, color, kind, cell)));
            }
        }
    }
    texts.push(slots::MISSING.to_owned());
    texts.extend(Background::ALL.map(|background| background.name().to_owned()));
    texts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_text_comes_twice_and_places_come_in_order() {
        let texts = texts();
        assert_eq!(texts.len(), 2 + PLACES * OBJECTS + Background::ALL.len());
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len());
        for (place, cell) in Cell::ALL.into_iter().enumerate() {
            let objects = &texts[1 + place * OBJECTS..][..OBJECTS];
            assert!(objects.iter().all(|text| text.ends_with(cell.name())));
        }
        assert_eq!(texts[NOTHING], slots::NOTHING);
        assert_eq!(texts[MISSING], slots::MISSING);
    }
}
