//! InstructBLIP as the model of VIG and VIC.

use image::RgbImage;
use vigc_llm::tokenizer::TextTokenizer;

use super::{Generated, GenerationConfig, Request, TokenScore, VisualLm};
use crate::Result;
use crate::instruct_blip::{self, EncodedImages, InstructBlip, Prompt};

impl VisualLm for InstructBlip {
    /// A batch of one.
    type Image = EncodedImages;

    fn name(&self) -> &str {
        self.name()
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<EncodedImages>> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = self.encode(images);
        Ok((0..images.len()).map(|image| encoded.select(&[image])).collect())
    }

    fn generate(
        &self,
        requests: &[Request<'_, EncodedImages>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let images = requests.iter().map(|request| request.image.clone()).collect();
        let prompts = requests.iter().enumerate().map(|(image, request)| as_prompt(image, request));
        let prompts = prompts.collect::<Vec<_>>();
        let hints = requests.iter().map(|request| request.hint).collect::<Vec<_>>();
        let images = EncodedImages::cat(images);
        let texts = self.generate_with_hints(&images, &prompts, &hints, decoding)?;
        let tokenizer = self.text_tokenizer();
        let row = |row: Vec<_>| row.into_iter().map(|text| with_tokens(text, tokenizer)).collect();
        texts.into_iter().map(row).collect()
    }

    fn score(&self, request: &Request<'_, EncodedImages>, candidates: &[&str]) -> Result<Vec<f32>> {
        self.log_probs(request.image, as_prompt(0, request), candidates)
    }
}

fn as_prompt<'a>(image: usize, request: &Request<'a, EncodedImages>) -> Prompt<'a> {
    Prompt { image, text: request.prompt, seed: request.seed }
}

/// Finds where in the text each token ends.
fn with_tokens(text: instruct_blip::Generated, tokenizer: &TextTokenizer) -> Result<Generated> {
    let instruct_blip::Generated { text, hypothesis } = text;
    let mut tokens = Vec::with_capacity(hypothesis.tokens.len());
    let mut end = 0;
    for (i, &log_prob) in hypothesis.log_probs.iter().enumerate() {
        // A prefix may end within a character, so only what it shares with the text counts. The end
        // token has a log-probability, but no place in the text.
        let prefix = tokenizer.decode(&hypothesis.tokens[..hypothesis.tokens.len().min(i + 1)])?;
        end = shared_prefix(&prefix, &text).max(end);
        tokens.push(TokenScore { end, log_prob });
    }
    Ok(Generated { text, score: hypothesis.score, tokens, finish: hypothesis.finished })
}

fn shared_prefix(a: &str, b: &str) -> usize {
    a.char_indices()
        .zip(b.chars())
        .find(|((_, a), b)| a != b)
        .map_or(a.len().min(b.len()), |((at, _), _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_prefixes_end_between_characters() {
        for (a, b, expected) in [
            ("", "a", 0),
            ("ab", "abc", 2),
            ("abc", "ab", 2),
            ("é\u{fffd}", "éß", 2),
            ("ba", "ab", 0),
        ] {
            assert_eq!(shared_prefix(a, b), expected, "{a:?} {b:?}");
        }
    }
}
