//! Captions: every object in one sentence.

use super::super::noun::Noun;
use super::{Teller, listed, sentence};

impl Teller<'_> {
    /// A sentence that names every object, its color and its place, and at times the sizes and the
    /// background.
    pub fn caption(&mut self) -> String {
        let sized = self.chance(0.6);
        let items: Vec<String> = (self.scene.objects.iter())
            .map(|object| {
                let full = Noun::full(object);
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
}
