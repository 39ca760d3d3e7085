//! The pictures of a batch of questions, each opened once.

use std::path::Path;

use image::RgbImage;
use rayon::prelude::*;
use vigc_vision::image::{ImageLimits, decode_image, open_image};

use super::{Ask, AskImage};
use vigc_pipeline::error_text;

/// The pictures of a batch, of which the first may be that of the batch before.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// Whether the first question is about the last picture of the batch before.
    pub(super) goes_on: bool,
    /// The pictures that are new, or why they cannot be read.
    pub(super) pictures: Vec<Result<RgbImage, String>>,
    /// For each question its picture, counted with the one of the batch before.
    pub(super) of: Vec<usize>,
}

impl Opened {
    /// Opens what the questions of a batch are about; questions that follow each other share pictures.
    pub(super) fn of(batch: &[&Ask], before: Option<&Ask>, limits: &ImageLimits) -> Self {
        let mut last = before.map(|ask| &ask.image);
        let goes_on = batch.first().is_some_and(|first| last == Some(&first.image));
        let (mut new, mut of) = (Vec::new(), Vec::new());
        for ask in batch {
            if last != Some(&ask.image) {
                new.push(*ask);
                last = Some(&ask.image);
            }
            of.push(new.len() + usize::from(goes_on) - 1);
        }
        let pictures = new.par_iter().map(|ask| open(ask, limits)).collect();
        Self { goes_on, pictures, of }
    }
}

fn open(ask: &Ask, limits: &ImageLimits) -> Result<RgbImage, String> {
    let (name, opened) = match &ask.image {
        AskImage::File(path) => (path.as_path(), open_image(path, limits)),
        AskImage::Bytes(bytes) => {
            let name = Path::new(&ask.id);
            (name, decode_image(bytes, name, limits))
        }
    };
    opened.map_err(|error| error_text(&error, &name.to_string_lossy()))
}
