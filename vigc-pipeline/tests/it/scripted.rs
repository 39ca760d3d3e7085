//! Models whose answers are known.

use std::cell::RefCell;

use image::{Rgb, RgbImage};
use vigc_pipeline::Result;
use vigc_pipeline::vigc::{
    Generated, GenerationConfig, ImageInput, Request, TokenScore, VisualLm, seed,
};

/// A text that the model ended, its tokens the words, each of log-probability -1.
pub(crate) fn generated(text: &str) -> Generated {
    let ends = text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    let ends = ends.chain((!text.is_empty()).then_some(text.len()));
    let tokens = ends.map(|end| TokenScore { end, log_prob: -1.0 }).collect();
    Generated { tokens, ..Generated::text(text) }
}

/// An image that [`Scripted`] and [`Dice`] know by its number.
pub(crate) fn numbered(name: &str, number: u8) -> ImageInput {
    ImageInput::pixels(name, RgbImage::from_pixel(1, 1, Rgb([number, 0, 0])))
}

/// Answers each image's prompts from a list, and keeps the prompts.
pub(crate) struct Scripted {
    scripts: Vec<Vec<Vec<Generated>>>,
    pub(crate) prompts: RefCell<Vec<Vec<String>>>,
}

impl Scripted {
    /// For each image, for each prompt, the texts.
    pub(crate) fn new(scripts: Vec<Vec<Vec<Generated>>>) -> Self {
        let prompts = RefCell::new(vec![Vec::new(); scripts.len()]);
        Self { scripts, prompts }
    }
}

impl VisualLm for Scripted {
    type Image = usize;

    fn name(&self) -> &str {
        "scripted"
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<usize>> {
        Ok(images.iter().map(|image| usize::from(image.get_pixel(0, 0).0[0])).collect())
    }

    fn generate(
        &self,
        requests: &[Request<'_, usize>],
        _: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        let mut prompts = self.prompts.borrow_mut();
        let answer = |request: &Request<'_, usize>| {
            let asked = &mut prompts[*request.image];
            asked.push(request.prompt.to_owned());
            self.scripts[*request.image][asked.len() - 1].clone()
        };
        Ok(requests.iter().map(answer).collect())
    }

    fn score(&self, _: &Request<'_, usize>, candidates: &[&str]) -> Result<Vec<f32>> {
        Ok(candidates.iter().map(|answer| -(answer.split(' ').count() as f32)).collect())
    }
}

/// Answers that depend on image, prompt and seed only, and counts of what it is asked to do.
#[derive(Default)]
pub(crate) struct Dice {
    pub(crate) encoded: RefCell<Vec<u8>>,
    pub(crate) batches: RefCell<Vec<usize>>,
    /// Fails at this call of `generate`, counted from 1.
    pub(crate) fails_at: Option<usize>,
}

impl VisualLm for Dice {
    type Image = u8;

    fn name(&self) -> &str {
        "dice"
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<u8>> {
        let numbers = images.iter().map(|image| image.get_pixel(0, 0).0[0]).collect::<Vec<_>>();
        self.encoded.borrow_mut().extend(&numbers);
        Ok(numbers)
    }

    fn generate(
        &self,
        requests: &[Request<'_, u8>],
        _: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        self.batches.borrow_mut().push(requests.len());
        if self.fails_at == Some(self.batches.borrow().len()) {
            return Err(vigc_pipeline::Error::Model("out of dice".into()));
        }
        Ok(requests.iter().map(|request| vec![roll(request)]).collect())
    }
}

fn roll(request: &Request<'_, u8>) -> Generated {
    let number = seed::derive(request.seed, request.prompt, "", u64::from(*request.image));
    let sentences =
        ["A cat sits.", "It is red.", "Is it 3.5 m long?", "The dog is é.", "They run!"];
    let pick = |shift: u64| sentences[(number >> shift) as usize % sentences.len()];
    let text = match (request.prompt.contains("Question:"), number % 7) {
        (false, 0) => "No question here.".to_owned(),
        (false, _) => format!("Question: {} Answer: {} {}", pick(8), pick(16), pick(24)),
        (true, 0) => String::new(),
        (true, 1) => pick(8).to_owned(),
        (true, _) => format!("{} {}", pick(8), pick(16)),
    };
    generated(&text)
}
