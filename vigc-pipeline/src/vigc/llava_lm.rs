//! LLaVA as the model of VIG and VIC.

use image::RgbImage;

use super::token_ends::with_tokens;
use super::{Generated, GenerationConfig, Request, VisualLm};
use crate::Result;
use crate::llava::{Llava, Prompt, VisualTokens};

impl VisualLm for Llava {
    /// A batch of one.
    type Image = VisualTokens;

    fn name(&self) -> &str {
        self.name()
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<VisualTokens>> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = self.encode(images);
        Ok((0..images.len()).map(|image| encoded.select(&[image])).collect())
    }

    fn generate(
        &self,
        requests: &[Request<'_, VisualTokens>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let images = VisualTokens::cat(requests.iter().map(|row| row.image.clone()).collect());
        let prompts = requests.iter().enumerate().map(|(image, row)| as_prompt(image, row));
        let prompts = prompts.collect::<Vec<_>>();
        let hints = requests.iter().map(|request| request.hint).collect::<Vec<_>>();
        let texts = self.generate_with_hints(&images, &prompts, &hints, decoding)?;
        with_tokens(texts, self.text_tokenizer())
    }

    fn score(&self, request: &Request<'_, VisualTokens>, candidates: &[&str]) -> Result<Vec<f32>> {
        self.log_probs(request.image, as_prompt(0, request), candidates)
    }
}

fn as_prompt<'a>(image: usize, request: &Request<'a, VisualTokens>) -> Prompt<'a> {
    Prompt { image, text: request.prompt, seed: request.seed }
}
